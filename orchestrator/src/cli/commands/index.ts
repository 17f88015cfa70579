/** Every subcommand, in the order of --help. Adding one is its file and a line here. */
import type { AddCommand } from "../invocation.js";
import { addAbort } from "./abort.js";
import { addApprove } from "./approve.js";
import { addAudit } from "./audit.js";
import { addCa } from "./ca.js";
import { addCompletion } from "./completion.js";
import { addIncident, addIncidents } from "./incidents.js";
import { addLead } from "./lead.js";
import { addNodes } from "./nodes.js";
import { addPlan } from "./plan.js";
import { addResources } from "./resources.js";
import { addRun, addRuns } from "./runs.js";
import { addStatus } from "./status.js";
import { addWatch } from "./watch.js";

export const COMMANDS: readonly AddCommand[] = [
  addStatus,
  addNodes,
  addResources,
  addIncidents,
  addIncident,
  addPlan,
  addApprove,
  addAbort,
  addRuns,
  addRun,
  addWatch,
  addAudit,
  addLead,
  addCa,
  addCompletion,
];
