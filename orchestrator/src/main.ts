/** vigie-orchestrator: the process. Reads its configuration, opens the store and the port, and ends cleanly. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { explain, identityOf, readConfigFile, realClock, VERSION, VigieError } from "@vigie/proto";
import { pino } from "pino";
import { listen, type ServerTls } from "./api/grpc-server.js";
import { createService } from "./api/service.js";
import { orchestratorConfigSchema, type OrchestratorConfig } from "./config.js";
import { startOrchestrator } from "./orchestrator.js";
import { openSqliteStore } from "./store/sqlite.js";

const EXIT_BAD_CONFIG = 2;

async function main(configPath: string): Promise<void> {
  const config = readConfigFile(configPath, orchestratorConfigSchema);
  const tls = readTls(config);
  const ownNode = ownName(tls, configPath);
  const logger = pino({ level: config.log_level, base: { node: ownNode } });
  process.on("uncaughtException", (error) => {
    logger.fatal({ event: "crash", reason: explain(error), stack: error.stack });
    process.exit(1); // what was acknowledged is on disk; the next start looks at the world
  });
  const store = openSqliteStore(join(config.state_dir, "vigie.db"));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

  logger.info({ event: "orchestrator.start", version: VERSION });
  const log = (event: string, detail: Record<string, unknown>): void => logger.info({ event, ...detail });
  const orchestrator = await startOrchestrator(
    { clock: realClock, random: Math.random, store, ownNode, config, log },
    stop.signal,
  );
  const server = await listen(orchestrator, createService(orchestrator), config.listen, tls);
  logger.info({ event: "orchestrator.listen", address: config.listen });

  await new Promise<void>((resolve) =>
    stop.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  await server.stop();
  store.close();
  logger.info({ event: "orchestrator.stop" });
  process.exit(0);
}

/** The certificate says which node this is beside: leadership is counted for that one (I16, I26). */
function ownName({ certificate }: ServerTls, configPath: string): string {
  const identity = identityOf({ subjectaltname: new X509Certificate(certificate).subjectAltName });
  if (identity.role === "orchestrator") return identity.name;
  throw new VigieError(
    "BAD_CONFIG",
    `${configPath}: tls.certificate: expected a certificate of an orchestrator, got one of ${identity.role} ${identity.name}`,
  );
}

function readTls({ tls }: OrchestratorConfig): ServerTls {
  return {
    ca: readPem("tls.ca", tls.ca),
    certificate: readPem("tls.certificate", tls.certificate),
    key: readPem("tls.key", tls.key),
  };
}

function readPem(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : "it cannot be read";
    throw new VigieError(
      "BAD_CONFIG",
      `${key}: expected a PEM file at ${path}, got: ${reason}; make one with: vigie ca issue`,
      { cause },
    );
  }
}

main(process.argv[2] ?? "/etc/vigie/orchestrator.toml").catch((error: unknown) => {
  const badConfig =
    error instanceof VigieError && (error.code === "BAD_CONFIG" || error.code === "PERMISSION_DENIED");
  process.stderr.write(`vigie-orchestrator: ${badConfig ? error.message : explain(error)}\n`);
  process.exit(badConfig ? EXIT_BAD_CONFIG : 1);
});
