import { runbookScenario } from "../runbook-scenario.js";

export const scenario = runbookScenario("relocate-secondaries");
