import { runbookScenario } from "../runbook-scenario.js";

export const scenario = runbookScenario("recover-stuck-migration", 2);
