/** What tests and the simulator use of the orchestrator. The processes are main.ts and cli/main.ts. */
export { listen, type ListeningServer } from "./api/grpc-server.js";
export { createService, type Service } from "./api/service.js";
export { orchestratorConfigSchema, type OrchestratorConfig } from "./config.js";
export type { Channel } from "./notify/channel.js";
export { startOrchestrator, type Orchestrator, type OrchestratorParts } from "./orchestrator.js";
export { openSqliteStore } from "./store/sqlite.js";
export type { Store } from "./store/store.js";
export { createAuthority, issueCertificate, type KeyPair } from "./ca/authority.js";
export { runCli } from "./cli/cli.js";
export { toJson } from "./wording/json.js";
export { RUNBOOKS, runbookByName } from "./runbooks/index.js";
export { bigView, losesItsDisk, requestOf } from "./runbooks/testing.js";
