import { runbookScenario } from "../runbook-scenario.js";

export const scenario = runbookScenario("resolve-split-brain");
