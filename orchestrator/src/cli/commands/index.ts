/** Every subcommand, in the order of --help. Adding one is its file and a line here. */
import type { AddCommand } from "../invocation.js";
import { addAbort } from "./abort.js";
import { addApprove } from "./approve.js";
import { addAudit } from "./audit.js";
import { addCa } from "./ca.js";
import { addCompletion } from "./completion.js";
import { addDo } from "./do.js";
import { addHolders } from "./holders.js";
import { addIncident, addIncidents } from "./incidents.js";
import { addInstance, addInstances } from "./instances.js";
import { addGo, addStop } from "./kill-switch.js";
import { addLead } from "./lead.js";
import { addLocks } from "./locks.js";
import { addMaintenance } from "./maintenance.js";
import { addNodes } from "./nodes.js";
import { addNotify } from "./notify.js";
import { addPlan } from "./plan.js";
import { addResources } from "./resources.js";
import { addRun } from "./run.js";
import { addRunbook } from "./runbooks.js";
import { addRuns } from "./runs.js";
import { addStatus } from "./status.js";
import { addWatch } from "./watch.js";

export const COMMANDS: readonly AddCommand[] = [
  addStatus,
  addNodes,
  addInstances,
  addInstance,
  addResources,
  addIncidents,
  addIncident,
  addRunbook,
  addDo,
  addPlan,
  addApprove,
  addAbort,
  addRuns,
  addRun,
  addWatch,
  addHolders,
  addLocks,
  addNotify,
  addMaintenance,
  addStop,
  addGo,
  addAudit,
  addLead,
  addCa,
  addCompletion,
];
