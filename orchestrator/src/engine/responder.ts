/**
 * Answers open incidents: plans the runbook for each, asks the policy, and starts the run, asks a person, or lets it
 * be. It is asked at each tick, so a reason that passes (no majority yet) is looked at again.
 */
import {
  IncidentState,
  Role,
  RunEventKind,
  RunState,
  VigieError,
  type Clock,
  type Incident,
  type Plan,
  type Run,
  type Source,
} from "@vigie/proto";
import type { OrchestratorConfig } from "../config.js";
import { isAbout } from "../detect/evidence.js";
import { decided, underRun } from "../detect/incident-log.js";
import type { About } from "../gateway/gateway.js";
import { identifierAt } from "../identifier.js";
import type { Leader } from "../gateway/leader.js";
import { decide, type PolicyFacts, type RecentRun } from "../policy/policy.js";
import type { TagLevels } from "../policy/tags.js";
import { runbookByName, runbookFor } from "../runbooks/index.js";
import type { Question, Runbook, RunbookRequest } from "../runbooks/runbook.js";
import type { Change, Store } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import { redundancyOf, type Redundancy } from "../view/redundancy.js";
import { afterEnd, seenWithinMs } from "./after-run.js";
import type { Desk } from "./desk.js";
import type { Executor } from "./executor.js";
import { hasWatcherPaused, heldDisks, lockInTheWay, locksOf } from "./locks.js";
import { planAgain } from "./plan-again.js";
import { couldNotBegin, mayHaveChanged, skippedByPerson } from "./run-log.js";
import { sealed } from "./seal-plan.js";
import { newRun, startRun } from "./start-run.js";

const HOUR_MS = 3_600_000;
const LOOK_AGAIN_MS = 30_000;
const PERSON_WAITS_MS = 8_000; // the command line waits ten
const TICK_WAITS_MS = 2_000; // who leads and what stands is looked at in the same tick
const ASK_AGAIN_MS = 30_000; // for an incident that stands: its answers hold for a minute

export interface ResponderParts {
  readonly clock: Clock;
  readonly config: () => OrchestratorConfig;
  readonly view: () => ClusterView;
  readonly desk: Desk;
  readonly leader: Leader;
  readonly executor: Executor;
  readonly stopped: () => string;
  readonly store: Store;
  readonly newRunId: () => string;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  /** Asks an agent, and folds its answer into the view. @throws VigieError UNAVAILABLE without an answer in time */
  readonly observe: (node: string, source: Source, about: About) => Promise<unknown>;
}

export interface Responder {
  readonly tick: () => Promise<void>;
  /**
   * A plan for these parameters, or for what the incident is about; what no agent reports by itself is asked first.
   * @throws VigieError NOT_FOUND for an unknown runbook or what does not exist, INVALID_ARGUMENT for a bad parameter
   */
  readonly plan: (
    runbook: string,
    parameters: Readonly<Record<string, string>>,
    incident: Incident | undefined,
  ) => Promise<Plan>;
}

interface Asked {
  readonly runbook: Runbook;
  readonly request: RunbookRequest;
}

export function createResponder(parts: ResponderParts): Responder {
  const { clock, config, desk } = parts;
  const askedAtMs = new Map<string, number>(); // by the incident's id
  const restsUntilMs = new Map<string, number>(); // likewise
  const endedAtMs = new Map<string, number>(); // likewise: since when it is HEALING without a run at work
  const outcomes = new Map<string, Outcome>(); // by the id of a run that has ended
  return { tick, plan };

  async function tick(): Promise<void> {
    if (parts.leader.epoch() === 0) return; // who does not lead decides nothing
    await withdraw();
    await lookAfterEnded();
    const waiting = desk.open().filter(isDue);
    if (waiting.length === 0) return;
    await askForAll(waiting);
    const recent = await recentRuns();
    for (const { id } of waiting) {
      const incident = desk.find(id); // as it is now: what was asked, and the runs before it, took their time
      if (incident !== undefined && isDue(incident)) await respond(incident, recent);
    }
  }

  /** An incident heals while its run is at work; what is still seen a while after its end is answered anew. */
  async function lookAfterEnded(): Promise<void> {
    const atWork = new Set(parts.executor.open().map(({ id }) => id));
    const left = desk
      .open()
      .filter(({ state, runId }) => state === IncidentState.HEALING && !atWork.has(runId));
    const since = new Map(left.map(({ id }) => [id, endedAtMs.get(id) ?? clock.monotonicMs()]));
    endedAtMs.clear();
    for (const [id, atMs] of since) endedAtMs.set(id, atMs);
    for (const incident of left) {
      if (clock.monotonicMs() - (endedAtMs.get(incident.id) ?? Infinity) < seenWithinMs(incident)) continue;
      const [run] = await parts.store.runsById(incident.runId);
      const now = desk.find(incident.id);
      if (now?.state === IncidentState.HEALING && now.runId === incident.runId)
        await parts.record(desk.update(afterEnd(now, run, desk.now())));
    }
  }

  /**
   * Nobody needs a plan any more whose incident is over, or is expected and was not asked about by a person. All are
   * ended in one moment: a person who approves one while the others' rows are written must not lose it.
   */
  async function withdraw(): Promise<void> {
    const ended = parts.executor.open().flatMap((run) => {
      const text = whyNotNeeded(run);
      if (text === "") return [];
      return [parts.executor.append(run.id, { kind: RunEventKind.ENDED, state: RunState.ABORTED, text })];
    });
    await Promise.all(ended);
  }

  /** Empty: it waits for a person, or does not wait. */
  function whyNotNeeded({ state, plan: planned, events }: Run): string {
    const incidentId = planned?.incidentId ?? "";
    if (state !== RunState.AWAITING_APPROVAL || incidentId === "") return "";
    const incident = desk.find(incidentId);
    if (incident === undefined) return `its incident ${incidentId} is over`;
    const { maintenance } = incident;
    if (maintenance === undefined || events[0]?.actor !== "policy") return "";
    return `${maintenance.node} is under maintenance: nothing is done about ${incidentId} by itself`;
  }

  /** What is only observed, or whose plan was refused, is looked at again now and then: what was not known may be known. */
  function isDue({ id, state, runId, maintenance }: Incident): boolean {
    if (maintenance !== undefined) return false; // nothing is planned against what is planned
    const undecided = state === IncidentState.OPEN || (state === IncidentState.NEEDS_PERSON && runId === "");
    return undecided && clock.monotonicMs() >= (restsUntilMs.get(id) ?? 0);
  }

  async function respond(incident: Incident, recent: RecentRun[]): Promise<void> {
    const runbook = runbookFor(incident);
    if (runbook !== undefined && isForgotten(incident)) return; // seen again after a restart first
    const proposed = runbook === undefined ? undefined : propose(runbook, incident);
    const decision = decide(
      incident,
      runbook?.name ?? "",
      config().policy,
      facts(incident, runbook, proposed, recent),
    );
    const refused = proposed?.plan === undefined || proposed.plan.refusals.length > 0;
    if (decision.act === "observe" || (decision.act !== "wait" && refused))
      restsUntilMs.set(incident.id, clock.monotonicMs() + LOOK_AGAIN_MS);
    if (decision.act === "observe" || decision.act === "wait") {
      const proposes = decision.act === "observe" && proposed?.plan !== undefined;
      const hint = proposes ? [`proposed: ${proposalOf(proposed.plan)}`] : [];
      const reasons = [...decision.reasons, ...hint];
      const waitsAs = decision.needsPerson ? IncidentState.NEEDS_PERSON : IncidentState.OPEN;
      if (incident.state === waitsAs && sameWords(reasons, incident.decision)) return;
      const judged = { ...decided(incident, desk.now(), waitsAs, reasons), runId: "" }; // it is looked at again
      return parts.record(desk.update(judged));
    }
    const state = decision.act === "run" ? IncidentState.HEALING : IncidentState.NEEDS_PERSON;
    const judged = decided(incident, desk.now(), state, decision.reasons);
    if (proposed?.plan === undefined || proposed.plan.refusals.length > 0) {
      const known = incident.state === state && sameWords(decision.reasons, incident.decision);
      return known ? undefined : parts.record(desk.update(judged));
    }
    const run = newRun(parts.newRunId(), proposed.plan);
    const approver = decision.act === "run" ? "policy" : undefined;
    await startRun(parts, run, "policy", approver, desk.update(underRun(judged, run, desk.now())));
    const { locks, destructive } = proposed.plan;
    if (approver !== undefined)
      recent.unshift({ locks, destructive, agoMs: 0, sent: true, refused: false, end: "at work" });
  }

  /** Of an earlier life: its finding must come again before anything is planned for it. */
  function isForgotten({ id }: Incident): boolean {
    return !desk.isSeen(id);
  }

  /** A plan that cannot even be made is a refusal too. */
  function propose(
    runbook: Runbook,
    incident: Incident,
  ): { readonly plan: Plan | undefined; readonly refusal: string } {
    try {
      return { plan: planNow(requestFor(runbook.name, {}, incident)), refusal: "" };
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      return { plan: undefined, refusal: error.message };
    }
  }

  async function plan(
    name: string,
    given: Readonly<Record<string, string>>,
    incident: Incident | undefined,
  ): Promise<Plan> {
    await ask(questionsOf(requestFor(name, given, incident)), PERSON_WAITS_MS);
    return planNow(requestFor(name, given, incident)); // with what is known now
  }

  /** All at once, so that agents that do not answer hold the tick up for one deadline and not for one each. */
  async function askForAll(waiting: readonly Incident[]): Promise<void> {
    const nowMs = clock.monotonicMs();
    const open = new Set(desk.open().map(({ id }) => id));
    for (const times of [askedAtMs, restsUntilMs])
      for (const id of times.keys()) if (!open.has(id)) times.delete(id);
    const due = waiting.filter(({ id }) => nowMs - (askedAtMs.get(id) ?? -Infinity) >= ASK_AGAIN_MS);
    for (const { id } of due) askedAtMs.set(id, nowMs);
    await ask(due.flatMap(questionsAbout), TICK_WAITS_MS);
  }

  /** None for what cannot be planned: propose() says why. */
  function questionsAbout(incident: Incident): readonly Question[] {
    const runbook = runbookFor(incident);
    if (runbook?.asks === undefined || isForgotten(incident)) return [];
    try {
      return questionsOf(requestFor(runbook.name, {}, incident));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      return [];
    }
  }

  function questionsOf({ runbook, request }: Asked): readonly Question[] {
    return runbook.asks?.(request) ?? [];
  }

  /** What is not answered in time stays as it was known, and the plan refuses by itself. */
  async function ask(questions: readonly Question[], forMs: number): Promise<void> {
    if (questions.length === 0) return;
    const enough = new AbortController();
    const answers = questions.map(({ node, source, minor }) => parts.observe(node, source, { minor }));
    await Promise.race([Promise.allSettled(answers), clock.sleep(forMs, enough.signal)]);
    enough.abort();
  }

  function planNow({ runbook, request }: Asked): Plan {
    return sealed(runbook.plan(request));
  }

  function requestFor(
    name: string,
    given: Readonly<Record<string, string>>,
    incident: Incident | undefined,
  ): Asked {
    const runbook = runbookByName(name);
    if (runbook === undefined)
      throw new VigieError("NOT_FOUND", `there is no runbook ${name}; see: vigie runbook list`);
    const parameters =
      incident === undefined ? given : { ...runbook.forIncident?.(incident, parts.view()), ...given };
    const missing = runbook.parameters.find((p) => p.required && (parameters[p.name] ?? "") === "");
    if (missing !== undefined)
      throw new VigieError(
        "INVALID_ARGUMENT",
        `${name} needs ${missing.name}: ${missing.summary}; see: vigie runbook show ${name}`,
      );
    const request = {
      parameters,
      view: parts.view(),
      nowMs: clock.monotonicMs(),
      wallUnixMs: clock.wallUnixMs(),
      incidentId: incident?.id ?? "",
      ttlS: config().cut.ttl_s,
      minStillMs: config().detect.stall_after_s * 1000,
      ownWatcherPause: parts.executor.open().some(hasWatcherPaused),
    };
    return { runbook, request };
  }

  function facts(
    incident: Incident,
    runbook: Runbook | undefined,
    proposed: ReturnType<typeof propose> | undefined,
    recentRuns: readonly RecentRun[],
  ): PolicyFacts {
    const status = parts.leader.status();
    const planned = proposed?.plan;
    const nowUnixMs = clock.wallUnixMs();
    const clash =
      planned === undefined
        ? undefined
        : lockInTheWay(planned, "", locksOf(parts.executor.atWork(), nowUnixMs), nowUnixMs);
    return {
      leads: status.leads,
      leadReason: status.reason,
      locks: planned?.locks ?? [],
      recentRuns,
      lockInTheWay: clash,
      planRefusals: planned?.refusals ?? (proposed === undefined ? [] : [proposed.refusal]),
      destructive: planned?.destructive ?? false,
      typedWord: planned?.typedWord ?? "",
      rung: runbook?.rung ?? "none",
      tags: tagsOf(incident, planned),
      stopped: parts.stopped(),
      twoPrimaries: hasTwoPrimaries(incident, planned),
      elsewhere: elsewhereThan(planned),
      nowUnixMs,
    };
  }

  /** Only what is destructive is limited by it; on a large cluster it is not counted for nothing. */
  function elsewhereThan(plan: Plan | undefined): Redundancy {
    if (plan?.destructive !== true) return { active: 0, single: 0 };
    return redundancyOf(parts.view(), clock.monotonicMs(), heldDisks(plan));
  }

  /** What the incident is about, and whatever else its plan touches: a disk's runbook moves guests that have tags too. */
  function tagsOf({ subject }: Incident, planned: Plan | undefined): TagLevels[] {
    const { instances, resources } = parts.view();
    const about = [...resources.values()].filter((r) => subject !== undefined && isAbout(r, subject));
    const own = [subject?.node ?? "", ...about.flatMap((r) => r.ends.map((end) => end.node))];
    const touched = (planned?.locks ?? []).map((lock) => lock.split(" "));
    return [
      levelsOf(subject?.instance ?? "", own),
      ...touched.flatMap(([what, name = ""]) => {
        if (what === "node") return [levelsOf("", [name])];
        const instance = what === "instance" ? instances.get(name) : undefined;
        return instance === undefined
          ? []
          : [levelsOf(name, [instance.primaryNode, ...instance.secondaryNodes])];
      }),
    ];
  }

  function levelsOf(instance: string, names: readonly string[]): TagLevels {
    const { inventory, instances } = parts.view();
    const nodes = (inventory?.nodes ?? []).filter(({ name }) => names.includes(name));
    const groups = (inventory?.groups ?? []).filter(({ name }) => nodes.some(({ group }) => group === name));
    return [
      instances.get(instance)?.tags ?? [],
      nodes.flatMap(({ tags }) => tags),
      groups.flatMap(({ tags }) => tags),
      inventory?.clusterTags ?? [],
    ];
  }

  /** Of any disk that the incident or its plan is about. */
  function hasTwoPrimaries({ id }: Incident, planned: Plan | undefined): boolean {
    const view = parts.view();
    const keys = [desk.resourceKey(id), ...heldDisks(planned)];
    const disks = keys.map((key) => view.resources.get(key)).filter((disk) => disk !== undefined);
    return disks.some((disk) => {
      const ends = endViews(view, disk, clock.monotonicMs());
      return ends.length === 2 && ends.every((end) => end.drbd?.role === Role.PRIMARY);
    });
  }

  /** What the policy itself began, however much people planned since; the wall clock only limits. */
  async function recentRuns(): Promise<RecentRun[]> {
    const countsMs = Math.max(HOUR_MS, config().policy.per_resource_every_s * 1000);
    const runs = await parts.store.runsFrom(identifierAt("r", clock.wallUnixMs() - countsMs));
    const counting = new Set(runs.map(({ id }) => id));
    for (const id of outcomes.keys()) if (!counting.has(id)) outcomes.delete(id);
    return Promise.all(runs.filter((run) => run.approvedBy === "policy").map(recentRun));
  }

  async function recentRun(run: Run): Promise<RecentRun> {
    return {
      locks: run.plan?.locks ?? [],
      agoMs: Math.max(0, clock.wallUnixMs() - (run.plan?.plannedUnixMs ?? 0)),
      destructive: run.plan?.destructive ?? true,
      ...(await outcomeOf(run)),
    };
  }

  /** By its rows, which are read once: they change no more when it has ended. */
  async function outcomeOf(run: Run): Promise<Outcome> {
    if (!ENDED.has(run.state)) return { sent: true, refused: false, end: endOf(run.state) };
    const known = outcomes.get(run.id);
    if (known !== undefined) return known;
    const [whole] = await parts.store.runsById(run.id);
    const { state, events } = whole ?? run;
    const sent = whole === undefined || mayHaveChanged(whole); // what a guard refused has done nothing
    const refused = !sent && whole !== undefined && !couldNotBegin(whole);
    const seen = skippedByPerson(events).length === 0; // what a person skipped, nobody has seen to help
    const outcome: Outcome = {
      sent,
      refused,
      end: endOf(state === RunState.SUCCEEDED && !seen ? RunState.ABORTED : state),
    };
    outcomes.set(run.id, outcome);
    return outcome;
  }
}

type Outcome = Pick<RecentRun, "sent" | "refused" | "end">;

const ENDED: ReadonlySet<RunState> = new Set([RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED]);

function endOf(state: RunState): RecentRun["end"] {
  if (state === RunState.SUCCEEDED) return "helped";
  if (state === RunState.ABORTED || state === RunState.PAUSED) return "given up"; // by a person, or for now
  return state === RunState.FAILED || state === RunState.FROZEN ? "did not help" : "at work";
}

/** But for figures, which grow while all else stays: an incident gets no new row for each second. */
function sameWords(a: readonly string[], b: readonly string[]): boolean {
  const words = (reasons: readonly string[]): string => reasons.join().replaceAll(/\d+/g, "N");
  return words(a) === words(b);
}

/** Where its guards refuse, what would help instead: another runbook, or what a person types. */
function proposalOf(plan: Plan): string {
  const itself =
    plan.wayOut.length === 0 || plan.wayOut.some((it) => it.startsWith(`vigie do ${plan.runbook} `));
  return itself ? planAgain(plan) : plan.wayOut.join("; ");
}
