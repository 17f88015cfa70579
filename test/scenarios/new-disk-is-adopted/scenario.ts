import { runbookScenario } from "../runbook-scenario.js";

export const scenario = runbookScenario("adopt-disk");
