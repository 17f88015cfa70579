/**
 * The agent, composed: sources → observer → session, and requests → performer. It knows one node and decides
 * nothing. main.ts gives it the real machine; the simulator gives it another.
 */
import { Source, type HungCommand } from "@vigie/proto";
import type { Host } from "./host.js";
import type { Journal } from "./journal.js";
import { createLook } from "./look.js";
import { createObserver, type Observer } from "./observe.js";
import { createPerformer } from "./perform.js";
import { keepSession, type Dial } from "./session.js";
import { sourceDefinitions } from "./sources/index.js";
import { readMasterNode } from "./sources/ssconf.js";
import { SWEEP_PERIOD_MS, sweepAtStart, sweepAll, sweepAtStop, sweepUnknown } from "./sweep.js";

export interface AgentParts {
  readonly host: Host;
  readonly journal: Journal;
  readonly dial: Dial;
  readonly nodeName: string;
  readonly version: string;
  readonly killSwitch: string; // a path
  readonly random: () => number;
  readonly hung: () => HungCommand[];
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

/** Runs until `signal` aborts; then no cut of ours is left. */
export async function runAgent(parts: AgentParts, signal: AbortSignal): Promise<void> {
  const { host, journal, nodeName } = parts;
  const observer = createObserver(host, sourceDefinitions({ nodeName }));
  const bootId = (await host.readFile("/proc/sys/kernel/random/boot_id")).trim();
  const look = createLook(host, nodeName, bootId, observer);
  const readOnlyReason = (): Promise<string> => whyReadOnly(parts);
  const masterNode = (): Promise<string> => readMasterNode(host);
  const performer = createPerformer({ host, journal, nodeName, look, readOnlyReason, masterNode });

  await sweepAtStart(host, journal, (await look.cuts()).cuts);
  observer.start(signal);
  void sweepEveryMinute(parts, observer, signal);
  const session = { ...parts, clock: host, bootId, masterNode, readOnlyReason, observer, performer };
  await keepSession(session, signal);
  await sweepAtStop(host);
}

/** The kill switch is a file on this node: it needs neither network nor orchestrator (I33). */
async function whyReadOnly({ host, journal, killSwitch }: AgentParts): Promise<string> {
  if (journal.broken() !== "") return journal.broken();
  try {
    await host.readFile(killSwitch);
    return `${killSwitch} exists: somebody stopped all actions on this node`;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return absent ? "" : `${killSwitch} cannot be looked at`;
  }
}

async function sweepEveryMinute(parts: AgentParts, observer: Observer, signal: AbortSignal): Promise<void> {
  const { host, journal } = parts;
  while (!signal.aborted) {
    await host.sleep(SWEEP_PERIOD_MS, signal);
    const { facts, damaged } = await observer.readNow(Source.LINK_CUTS);
    if (signal.aborted || facts?.$case !== "linkCuts") continue;
    if (damaged.length > 0) {
      await sweepAll(host, journal, damaged);
      parts.log("cut.swept", { alarm: true, damaged });
      continue;
    }
    const removed = await sweepUnknown(host, journal, facts.value.cuts, (runId) => journal.madeCut(runId));
    if (removed.length > 0) parts.log("cut.swept", { alarm: true, cuts: removed });
  }
}
