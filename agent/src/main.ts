/** vigie-agent: the process. Reads its configuration, wires the real machine to the agent, and ends cleanly. */
import { join } from "node:path";
import {
  configError,
  createSettings,
  explain,
  ownIdentity,
  readConfigFile,
  readTlsFiles,
  realClock,
  VERSION,
  VigieError,
} from "@vigie/proto";
import { destination, pino } from "pino";
import { runAgent } from "./agent.js";
import { agentConfigSchema, type AgentConfig } from "./config.js";
import { createDial } from "./dial.js";
import { openJournal } from "./journal.js";
import { createRealHost } from "./real-host.js";
import { leave, leaveInPeace } from "./leave.js";
import { redact } from "./redact.js";
import { hungCommands } from "./run-command.js";
import { staySmall } from "./stay-small.js";
import { removeAll } from "./sweep.js";

const EXIT_BAD_CONFIG = 2;

async function main(configPath: string): Promise<void> {
  const read = (): AgentConfig => readConfigFile(configPath, agentConfigSchema);
  const config = read();
  const nodeName = ownName(config, configPath);
  const output = destination({ fd: process.stdout.fd, sync: false });
  const options = { level: config.log_level, base: { node: nodeName }, hooks: { streamWrite: redact } };
  const logger = pino(options, output);
  const flush = (): void => output.flushSync();
  const journal = openJournal(join(config.state_dir, "journal"));
  if (journal.broken() !== "")
    logger.error({ event: "journal.broken", alarm: true, reason: journal.broken() });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  process.on("uncaughtException", (error) => {
    logger.fatal({ event: "crash", reason: explain(error), stack: error.stack });
    leave(1, flush); // the kernel ends a cut; the next start sweeps
  });

  const settings = createSettings(config, {
    read: () => {
      const next = read();
      ownName(next, configPath);
      return next;
    },
    atStart: ["node", "state_dir"], // the certificate's name, and the journal's place
    tell: (event, detail) => logger.warn({ event, ...detail }),
    changed: ({ log_level }) => (logger.level = log_level),
  });
  process.on("SIGHUP", settings.reload);

  void staySmall(realClock, globalThis.gc, stop.signal);
  logger.info({ event: "agent.start", version: VERSION, journalHead: journal.head() });
  await runAgent(
    {
      host: createRealHost(),
      journal,
      dial: createDial(
        () => settings.now().orchestrator_port,
        () => readTlsFiles(configPath, settings.now().tls),
      ),
      nodeName,
      version: VERSION,
      killSwitch: () => settings.now().kill_switch,
      ...notifySocket(),
      random: Math.random,
      hung: () => hungCommands(realClock.monotonicMs()),
      log: (event, detail) => logger.info({ event, ...detail }),
    },
    stop.signal,
  );
  journal.close();
  logger.info({ event: "agent.stop" });
  await leaveInPeace(0, realClock, flush); // what hangs in the kernel must not keep us
}

function notifySocket(): { notifySocket?: string } {
  const socket = process.env["NOTIFY_SOCKET"];
  return socket === undefined ? {} : { notifySocket: socket };
}

/** The certificate's name is the node's (I16); a configured one may only say the same. */
function ownName(config: AgentConfig, configPath: string): string {
  const { name } = ownIdentity(configPath, readTlsFiles(configPath, config.tls), "agent");
  if (config.node === undefined || config.node === name) return name;
  throw configError(configPath, ["node"], `${name}, as the certificate says`, config.node);
}

/** What an agent that was killed left in the firewall goes, whether or not it is started again (ExecStopPost). */
const OPEN_LINKS = "--open-links";

const asked = process.argv[2] ?? "/etc/vigie/agent.toml";
const work =
  asked === OPEN_LINKS ? removeAll(createRealHost()).then(() => leaveInPeace(0, realClock)) : main(asked);
work.catch((error: unknown) => {
  const badConfig =
    error instanceof VigieError && (error.code === "BAD_CONFIG" || error.code === "PERMISSION_DENIED");
  process.stderr.write(`vigie-agent: ${badConfig ? error.message : explain(error)}\n`);
  leave(badConfig ? EXIT_BAD_CONFIG : 1);
});
