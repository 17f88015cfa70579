/**
 * The agent, composed: sources → observer → session, and requests → performer. It knows one node and decides
 * nothing. main.ts gives it the real machine; the simulator gives it another.
 */
import { Source, type Damaged, type HungCommand, type LinkCut } from "@vigie/proto";
import { keepCheckpoints } from "./checkpoints.js";
import type { Host } from "./host.js";
import { beat } from "./heartbeat.js";
import { sparingHung } from "./hung-guard.js";
import type { Journal } from "./journal.js";
import { createLook } from "./look.js";
import { createObserver, type Observer } from "./observe.js";
import { createPerformer, type Performer } from "./perform.js";
import { keepSession, type Dial } from "./session.js";
import { sourceDefinitions } from "./sources/index.js";
import { readMasterNode } from "./sources/ssconf.js";
import {
  removeAll,
  SWEEP_PERIOD_MS,
  sweepAll,
  sweepAtStart,
  sweepUnknown,
  tidy,
  TIDY_PERIOD_MS,
} from "./sweep.js";

export interface AgentParts {
  readonly host: Host;
  readonly journal: Journal;
  readonly dial: Dial;
  readonly nodeName: string;
  readonly version: string;
  readonly killSwitch: () => string; // a path
  readonly notifySocket?: string; // of systemd's, which then expects a sign of life
  readonly random: () => number;
  readonly hung: () => HungCommand[];
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

/** Runs until `signal` aborts; then nothing of ours is left in the firewall. */
export async function runAgent(given: AgentParts, signal: AbortSignal): Promise<void> {
  const parts = { ...given, host: sparingHung(given.host) };
  const { host, journal, nodeName } = parts;
  void beat(host, parts.notifySocket, signal);
  const observer = createObserver(host, sourceDefinitions({ nodeName }));
  const bootId = (await host.readFile("/proc/sys/kernel/random/boot_id")).trim();
  const look = createLook(host, nodeName, bootId, observer);
  const readOnlyReason = (): Promise<string> => whyReadOnly(parts);
  const masterNode = (): Promise<string> => readMasterNode(host);
  const performer = createPerformer({ host, journal, nodeName, look, readOnlyReason, masterNode });

  await sweepAtStart(host, journal, (await look.cuts()).cuts);
  observer.start(signal);
  void keepCheckpoints(host, journal, parts.log, signal);
  void keepTidy(parts, observer, performer, signal);
  const session = { ...parts, clock: host, bootId, masterNode, readOnlyReason, observer, performer };
  await keepSession(session, signal);
  await removeAll(host);
}

/** The kill switch is a file on this node: it needs neither network nor orchestrator (I33). */
async function whyReadOnly({ host, journal, killSwitch }: AgentParts): Promise<string> {
  if (journal.broken() !== "") return journal.broken();
  const path = killSwitch();
  try {
    await host.readFile(path);
    return `${path} exists: somebody stopped all actions on this node`;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return absent ? "" : `${path} cannot be looked at`;
  }
}

async function keepTidy(
  parts: AgentParts,
  observer: Observer,
  performer: Performer,
  signal: AbortSignal,
): Promise<void> {
  const { host } = parts;
  let sweptMs = host.monotonicMs();
  while (!signal.aborted) {
    await host.sleep(TIDY_PERIOD_MS, signal);
    const { facts, damaged } = await observer.readNow(Source.LINK_CUTS);
    if (signal.aborted || facts?.$case !== "linkCuts") continue;
    const { cuts } = facts.value;
    const minute = host.monotonicMs() - sweptMs >= SWEEP_PERIOD_MS;
    if (minute) {
      await sweep(parts, cuts, damaged);
      sweptMs = host.monotonicMs();
    }
    await performer.onFirewall(() => tidy(host, cuts, minute));
  }
}

async function sweep(
  { host, journal, log }: AgentParts,
  cuts: readonly LinkCut[],
  damaged: readonly Damaged[],
): Promise<void> {
  if (damaged.length > 0) {
    await sweepAll(host, journal, damaged);
    return log("cut.swept", { alarm: true, damaged });
  }
  const removed = await sweepUnknown(host, journal, cuts, (runId) => journal.madeCut(runId));
  if (removed.length > 0) log("cut.swept", { alarm: true, cuts: removed });
}
