/** vigie-orchestrator: the process. Reads its configuration, opens the store and the port, and ends cleanly. */
import { join } from "node:path";
import {
  createSettings,
  explain,
  ownIdentity,
  readConfigFile,
  readTlsFiles,
  realClock,
  VERSION,
  VigieError,
} from "@vigie/proto";
import { pino } from "pino";
import { listen } from "./api/grpc-server.js";
import { createService } from "./api/service.js";
import { orchestratorConfigSchema, type OrchestratorConfig } from "./config.js";
import { createChannels } from "./notify/channels/index.js";
import { startOrchestrator } from "./orchestrator.js";
import { openSqliteStore } from "./store/sqlite.js";

const EXIT_BAD_CONFIG = 2;

async function main(configPath: string): Promise<void> {
  const read = (): OrchestratorConfig => readConfigFile(configPath, orchestratorConfigSchema);
  const config = read();
  const tls = readTlsFiles(configPath, config.tls);
  const { name: ownNode } = ownIdentity(configPath, tls, "orchestrator"); // leadership is counted for this node (I26)
  const logger = pino({ level: config.log_level, base: { node: ownNode } });
  process.on("uncaughtException", (error) => {
    logger.fatal({ event: "crash", reason: explain(error), stack: error.stack });
    process.exit(1); // what was acknowledged is on disk; the next start looks at the world
  });
  const channels = createChannels(configPath, config.notify, ownNode, realClock);
  const store = openSqliteStore(join(config.state_dir, "vigie.db"));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

  const settings = createSettings(config, {
    read,
    atStart: ["listen", "state_dir", "tls", "notify"], // the port, the store, and what goes out
    tell: (event, detail) => logger.warn({ event, ...detail }),
    changed: ({ log_level }) => (logger.level = log_level),
  });
  process.on("SIGHUP", settings.reload);

  logger.info({ event: "orchestrator.start", version: VERSION });
  const log = (event: string, detail: Record<string, unknown>): void => logger.info({ event, ...detail });
  const orchestrator = await startOrchestrator(
    { clock: realClock, random: Math.random, store, ownNode, config: settings.now, channels, log },
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

main(process.argv[2] ?? "/etc/vigie/orchestrator.toml").catch((error: unknown) => {
  const badConfig =
    error instanceof VigieError && (error.code === "BAD_CONFIG" || error.code === "PERMISSION_DENIED");
  process.stderr.write(`vigie-orchestrator: ${badConfig ? error.message : explain(error)}\n`);
  process.exit(badConfig ? EXIT_BAD_CONFIG : 1);
});
