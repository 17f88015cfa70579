/**
 * The orchestrator, composed: gateway → view → detect → policy → runbooks → engine → store. It decides and spawns
 * nothing: commands are the agents'. main.ts gives it sockets and a disk; the simulator gives it virtual time.
 */
import {
  explain,
  RunState,
  type Clock,
  type LogEnd,
  type Report,
  type Run,
  type Source,
  type WatchResponse,
} from "@vigie/proto";
import type { OrchestratorConfig } from "./config.js";
import { afterRow } from "./engine/after-run.js";
import { createAttentionKeeper } from "./engine/attention-keeper.js";
import { createDesk, type Desk } from "./engine/desk.js";
import type { DetectSettings } from "./detect/rule.js";
import type { Channel } from "./notify/channel.js";
import { createNotifier, type Notifier } from "./notify/notifier.js";
import type { Sender } from "./notify/outgoing.js";
import { maySpeak } from "./notify/speaker.js";
import { createExecutor, type Executor } from "./engine/executor.js";
import { createKillSwitch, type KillSwitch } from "./engine/kill-switch.js";
import { createMaintenanceKeeper, type MaintenanceKeeper } from "./engine/maintenance.js";
import { createGateway, type About, type Gateway, type ObservedAt } from "./gateway/gateway.js";
import { createLeader, type Leader } from "./gateway/leader.js";
import { createNamer, type Prefix } from "./identifier.js";
import { recoveryRow } from "./engine/recovery.js";
import { isInWindow } from "./policy/windows.js";
import { createResponder, type Responder } from "./engine/responder.js";
import { startAuditor, type Auditor } from "./store/auditor.js";
import { createRecorder, type Recorder } from "./store/recorder.js";
import type { Change, Store } from "./store/store.js";
import { keepRetention, type KeptDays } from "./store/retention.js";
import { createWitness } from "./store/witness.js";
import { createViewKeeper, type ViewKeeper } from "./gateway/view-keeper.js";

const HOUR_MS = 3_600_000;
const TICK_MS = 1_000;
const LIFE_EVERY_MS = 60_000;
const ARRIVAL_MS = 20_000; // agents dial again within ten seconds, with jitter
/** A run in one of these is changing the world, or was a moment ago. */
const WORKING: ReadonlySet<RunState> = new Set([RunState.RUNNING, RunState.WAITING, RunState.UNDOING]);

export interface OrchestratorParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: Store;
  readonly ownNode: string;
  /** What holds now: it changes with a reload. */
  readonly config: () => OrchestratorConfig;
  /** Of its [[notify]] blocks, by what they send with. */
  readonly channels: readonly Channel[];
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Orchestrator extends OrchestratorParts {
  readonly gateway: Gateway;
  readonly keeper: ViewKeeper;
  readonly desk: Desk;
  readonly leader: Leader;
  readonly executor: Executor;
  readonly responder: Responder;
  readonly killSwitch: KillSwitch;
  readonly maintenance: MaintenanceKeeper;
  readonly recorder: Recorder;
  readonly auditor: Auditor;
  readonly notifier: Notifier;
  readonly newRunId: () => string;
  /** Calls back for each watch event from now on, until the returned function is called. */
  readonly subscribe: (callback: (event: WatchResponse) => void) => () => void;
}

/** Takes up what an earlier life left open, and goes on until `signal` aborts. */
export async function startOrchestrator(
  parts: OrchestratorParts,
  signal: AbortSignal,
): Promise<Orchestrator> {
  const { clock, store, ownNode, config } = parts;
  const watchers = new Set<(event: WatchResponse) => void>();
  const recorder = createRecorder(store, clock, (events) => {
    for (const event of events) for (const watcher of watchers) watcher(event);
  });
  const keeper = createViewKeeper(clock, ownNode);
  let ledAtMs = clock.monotonicMs();
  const name = createNamer(parts.random);
  const newId = (prefix: Prefix): string => name(prefix, clock.wallUnixMs());
  const notifier = await createNotifier({
    clock,
    store,
    channels: parts.channels,
    record: (changes) => recorder.record(changes),
    maySend: () => maySpeak(leader.epoch() > 0, namesUs(), clock.monotonicMs() - ledAtMs),
    broken: () => recorder.broken(),
    openIncidents: () => desk.open(),
    openRuns: () => executor.open(),
    sender,
    newId,
    log: parts.log,
  });
  const record = (changes: readonly Change[]): Promise<void> =>
    recorder.record(notifier.withNotices(changes));
  const expectAllAfterMs = clock.monotonicMs() + ARRIVAL_MS;
  const detectSettings = (): DetectSettings => ({
    stallAfterMs: config().detect.stall_after_s * 1000,
    silentAfterMs: config().detect.silent_after_s * 1000,
    resyncSlowAfterMs: config().detect.resync_slow_after_h * HOUR_MS,
    expectAllAfterMs,
  });

  const gateway = createGateway(clock, ownNode, {
    hello: (node, hello) => {
      quietly(killSwitch.learn(hello.stop, node)); // before it counts for a majority (I33)
      quietly(maintenance.learn(hello.maintenance, node));
      keeper.hello(node, hello);
      quietly(record(nodeEvent(node, true, `agent ${hello.agentVersion} reports`)));
    },
    report: (node, report) => takeReport(node, report),
    gone: (node) => {
      keeper.gone(node);
      quietly(record(nodeEvent(node, false, "its session ended")));
    },
  });
  const observe = async (node: string, source: Source, about?: About): Promise<ObservedAt> => {
    const at = await gateway.observe(node, source, about);
    keeper.observed(node, at);
    return at;
  };
  const killSwitch = createKillSwitch({
    clock,
    known: await store.killSwitch(),
    leads: () => leader.epoch() > 0,
    record,
    announce: gateway.stop,
  });
  gateway.stop(killSwitch.newest());
  const maintenance = createMaintenanceKeeper({
    clock,
    ownNode,
    maxMs: () => config().maintenance.max_h * HOUR_MS,
    known: await store.maintenance(),
    record,
    announce: gateway.maintenance,
  });
  gateway.maintenance(maintenance.newest());
  const witness = await createWitness(store, parts.log);
  const auditor = await startAuditor({ store, clock, record, log: parts.log }, signal);
  let unread = ""; // why what an earlier life left open is not known
  const leader = createLeader({
    clock,
    ownNode,
    store,
    view: keeper.view,
    record,
    broken: () => recorder.broken() || unread,
    announce: gateway.lead,
    returned: (awayMs, alone) => executor.returned(awayMs, alone),
  });
  const executor = createExecutor({
    stopped: killSwitch.stopped,
    clock,
    gateway: { observe, act: gateway.act },
    view: keeper.view,
    epoch: leader.epoch,
    isInWindow: () => isInWindow(config().policy.windows, clock.wallUnixMs()),
    unchangedMs: () => config().runs.ask_when_unchanged_min * 60_000,
    record,
    alongside: (run) => alongside(run),
    log: parts.log,
  });
  const isHeld = (incidentId: string): boolean =>
    executor.open().some((run) => run.plan?.incidentId === incidentId && WORKING.has(run.state));
  const attention = createAttentionKeeper({
    clock,
    maintenances: maintenance.on,
    snoozeMaxMs: () => config().incidents.snooze_max_h * HOUR_MS,
  });
  const known = await store.incidents(false, Infinity);
  const desk = createDesk(
    clock,
    detectSettings,
    () => newId("i"),
    known,
    isHeld,
    attention,
    () => config().keep.incident_lines,
  );
  const newRunId = (): string => newId("r");
  const responder = createResponder({
    clock,
    config,
    view: keeper.view,
    desk,
    leader,
    executor,
    stopped: killSwitch.stopped,
    store,
    newRunId,
    record,
    observe,
  });

  const leftUnixMs = await store.aliveUnixMs();
  for (const { id } of await store.runs(true, Infinity)) {
    const [run] = await store.runsById(id);
    if (run === undefined) continue;
    executor.takeUp(run, recoveryRow(run, leftUnixMs, clock.wallUnixMs()));
  }
  unread = openRunsUnread(store); // now: what is read of ended runs later on is no reason not to act
  for (const what of store.unreadable()) parts.log("store.unreadable", { what, alarm: true });
  notifier.start(signal);
  void tickUntil(signal);
  void signLife(signal);
  void keepRetention({ store, clock, kept: () => keptDays(config()), record, log: parts.log }, signal);
  return {
    ...parts,
    gateway,
    keeper,
    desk,
    leader,
    executor,
    responder,
    killSwitch,
    maintenance,
    recorder: { ...recorder, record }, // whoever writes, what is news of it is told
    auditor,
    notifier,
    newRunId,
    subscribe,
  };

  async function takeReport(node: string, report: Report): Promise<LogEnd> {
    const transitions = keeper.report(node, report);
    const changes: Change[] = transitions.map((transition) => ({ record: "transition", transition }));
    changes.push(...desk.judge(keeper.view(), node));
    changes.push(...(await witness.take(node, report, clock.wallUnixMs())));
    await record(changes);
    return store.auditEnd();
  }

  async function tickUntil(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(TICK_MS, stop);
      await attempt("judge", async () => {
        keeper.settle();
        const changes = desk.judgeAll(keeper.view());
        if (changes.length > 0) await record(changes);
      });
      await attempt("lead", leader.tick);
      if (leader.epoch() > 0) ledAtMs = clock.monotonicMs();
      await attempt("respond", responder.tick);
    }
  }

  /** One part that fails does not stop the others: who cannot judge must still lose its leadership in time. */
  async function attempt(part: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      parts.log("tick.failed", { part, reason: explain(error), alarm: true });
    }
  }

  /** Our own node's agent reports, and has this node for the master. */
  function namesUs(): boolean {
    const own = keeper.view().nodes.get(ownNode);
    return own?.connected === true && own.masterNode === ownNode;
  }

  function sender(): Sender {
    const { leads, reason } = leader.status();
    return {
      cluster: keeper.view().ssconf?.clusterName ?? "",
      orchestratorNode: ownNode,
      notLeading: leads ? "" : reason,
    };
  }

  /** So that the next life knows for how long nobody was there. */
  async function signLife(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(LIFE_EVERY_MS, stop);
      if (leader.epoch() > 0) quietly(record([{ record: "alive", unixMs: clock.wallUnixMs() }]));
    }
  }

  /** What a run's newest row means for its incident: written with it, so that no crash parts the two. */
  function alongside(run: Run): readonly Change[] {
    const incident = desk.find(run.plan?.incidentId ?? "");
    const event = run.events.at(-1);
    if (incident === undefined || event === undefined) return [];
    const next = afterRow(incident, run, event, desk.now());
    return next === incident ? [] : desk.update(next);
  }

  function nodeEvent(node: string, reporting: boolean, text: string): Change[] {
    return [
      {
        record: "watch",
        unixMs: clock.wallUnixMs(),
        event: { $case: "node", value: { node, reporting, text } },
      },
    ];
  }

  function subscribe(callback: (event: WatchResponse) => void): () => void {
    watchers.add(callback);
    return () => watchers.delete(callback);
  }

  /** What could not be kept is told once by the tick; here nobody waits for it. */
  function quietly(recorded: Promise<void>): void {
    recorded.catch(() => undefined);
  }
}

function keptDays({ keep }: OrchestratorConfig): KeptDays {
  return {
    runs: keep.runs_days,
    incidents: keep.incidents_days,
    events: keep.events_days,
    audit: keep.audit_in_store_days,
  };
}

/** A run that cannot be read may be at work, and what it holds is not known: nothing is done beside it (I11). */
function openRunsUnread(store: Store): string {
  const runs = store.unreadable().filter((what) => what.startsWith("run "));
  if (runs.length === 0) return "";
  return `${runs.join(", ")}: the rows in the store are damaged; put vigie.db back from a backup, or delete these runs from it, and start it again`;
}
