// Every generated file has these four; naming them once settles which.
export {
  type DeepPartial,
  type MessageFns,
  protobufFileName,
  protobufPackage,
} from "./gen/vigie/v1/observation.js";
export * from "./gen/vigie/v1/observation.js";
export * from "./gen/vigie/v1/action.js";
export * from "./gen/vigie/v1/gateway.js";
export * from "./gen/vigie/v1/incident.js";
export * from "./gen/vigie/v1/maintenance.js";
export * from "./gen/vigie/v1/run.js";
export * from "./gen/vigie/v1/notice.js";
export * from "./gen/vigie/v1/orchestrator.js";
export * from "./drbd-words.js";
export * from "./errors.js";
export * from "./clock.js";
export * from "./cut-time.js";
export * from "./hash-chain.js";
export * from "./config-file.js";
export * from "./identity.js";
export * from "./nearest-word.js";
export * from "./pem-files.js";
export * from "./settings.js";
export * from "./version.js";
