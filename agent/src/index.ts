/** What tests and the simulator use of the agent. The process is main.ts. */
export { runAgent, type AgentParts } from "./agent.js";
export type { Asker, RequestedAction } from "./actions/action.js";
export { actionCommands } from "./actions/commands.js";
export { createDial } from "./dial.js";
export type { Command, CommandOutcome, Host } from "./host.js";
export { jobReason } from "./job-reason.js";
export { REAL_DISK, type Disk } from "./journal-disk.js";
export { openJournal, type Journal } from "./journal.js";
export type { Dial, SessionLink } from "./session.js";
export { parseProcDrbd } from "./sources/proc-drbd.js";
