/**
 * A live migration whose resync stands still: Ganeti waits for it for ever, holds the instance's lock and says
 * nothing. First the resync is made to move; then Ganeti's job goes on, and most often ends well by itself. It is
 * killed only where it writes nothing more in its log although the disks are whole, and only then is there something
 * to clean up. `migrate --cleanup` itself waits for the resync, so the order cannot be another one.
 */
import { ConnectionState, Role, type GanetiInstance, type GanetiJob, type PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, isInSync, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import {
  allOf,
  anyOf,
  instanceOn,
  jobOver,
  jobStill,
  oldJobSucceeded,
  queueFree,
  redundant,
} from "./conditions.js";
import { JOB_END_MS, MIGRATION_MS, NO_LIMIT_MS, SETTLE_MS } from "./deadlines.js";
import { cleanup, jobStep, migrate } from "./ganeti-jobs.js";
import { whereItRuns, whereText } from "./guests.js";
import { runningMigration } from "./jobs-in-queue.js";
import {
  manualKillJob,
  manualLookAtInstance,
  manualLookAtJob,
  manualRestartGaneti,
} from "./manual-ganeti.js";
import { manualLook } from "./manual.js";
import { given, instanceNamed, mirrorsOf, yesOrNo } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import { connectable, placed, stillThere } from "./premises.js";
import { resetStepsIfItStands } from "./reset-steps.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { act, wait, type Act } from "./steps.js";
import { watcherSteps } from "./watcher.js";

/** While it works, a migration writes a line every 2 s of a resync, and every 10 s of a copy of memory. */
const JOB_STILL_MS = 12_000;

export const recoverStuckMigration: Runbook = {
  name: "recover-stuck-migration",
  version: 1,
  summary: "get a live migration going again whose resync stands still, or end it and clean up",
  rung: "migrate",
  explanation: [
    "Resets the connection of each disk whose resync stands, waits until the disks are redundant, and lets Ganeti's",
    "job end by itself. A job that writes nothing more in its log although the disks are whole is killed, and its",
    "remains are cleaned up. With migrate=yes the guest is then migrated to where it was to go.",
    "",
    "Refuses: no migration that runs, an end that is unknown, silent or StandAlone.",
    "",
    "By hand: reset the connection as `vigie runbook show reset-stalled-sync` tells, then on the master",
    "  gnt-job cancel --kill --yes-do-it -f JOB   (before Ganeti 2.13 only the wiki's /etc/init.d/ganeti restart ends",
    "  it, and every other job with it: it is refused while there is one)",
    "  gnt-instance migrate --cleanup nagios",
  ],
  parameters: [
    { name: "instance", summary: "Ganeti's name of the instance", required: true },
    { name: "migrate", summary: "yes: migrate it again afterwards, where it did not go", required: false },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.instance === "" ? undefined : { instance: subject.instance },
  plan: (request) => {
    const { view } = request;
    const parameters = given(recoverStuckMigration, request);
    const instance = instanceNamed(view, parameters["instance"] ?? "");
    const again = yesOrNo("migrate", parameters["migrate"]);
    const disks = mirrorsOf(view, instance);
    const job = runningMigration(view, instance.name);
    const common = {
      subject: instance.name,
      parameters: { instance: instance.name, migrate: again ? "yes" : "" },
      touches: { resources: disks, nodes: nodesOf(instance) },
      destructive: true,
    };
    if (job === undefined) {
      const none = noMigration(request, instance, disks);
      return makePlan(recoverStuckMigration, request, { ...common, ...none, steps: [] });
    }
    const ends = disks.map((resource) => endViews(view, resource, request.nowMs));
    const resyncing = disks.filter((_resource, i) => isResyncing(ends[i] ?? []));
    const stalled = disks.filter((_resource, i) => isStalled(ends[i] ?? [], request.minStillMs));
    const resets = resyncing.map((resource) =>
      resetStepsIfItStands(request, resource, job.id, resource.diskIndex),
    );
    const watcher = watcherSteps(request);
    const steps = [
      ...watcher.pause,
      ...resets.flatMap((reset) => reset.steps),
      ...endJobSteps(request, instance, disks, job),
      ...(again ? [migrateAgain(request, instance, targetOf(instance, ends))] : []),
      ...watcher.resume,
    ];
    return makePlan(recoverStuckMigration, request, {
      ...common,
      steps,
      notes: [...notesOf(request, instance, job, stalled), ...watcher.notes],
      refusals: [...refusalsOf(disks, ends), ...resets.flatMap((reset) => reset.refusals)],
      wayOut: ends.flat().some(isStandAlone) ? [`vigie do resolve-split-brain ${instance.name}`] : [],
    });
  },
};

function endJobSteps(
  { view }: RunbookRequest,
  instance: GanetiInstance,
  disks: readonly Resource[],
  { id: jobId }: GanetiJob,
): PlanStep[] {
  const { name } = instance;
  const nodes = nodesOf(instance);
  const master = masterOf(view);
  const runsOnOne = anyOf(...nodes.map((node) => instanceOn(name, node, true)));
  const look = disks.flatMap(({ ends }) => ends.map((end) => manualLook(end.node, end.minor)));
  return [
    wait({
      id: "await-redundant",
      title: `every disk of ${name} is Connected, UpToDate/UpToDate and in sync`,
      node: instance.primaryNode,
      condition: redundant(name, 0),
      deadlineMs: NO_LIMIT_MS,
      manual: look,
    }),
    wait({
      id: "await-job",
      title: `job ${jobId} ends by itself, or goes on no more by its log`,
      node: master,
      condition: anyOf(jobOver(jobId), jobStill(jobId, JOB_STILL_MS, false)),
      deadlineMs: NO_LIMIT_MS,
      manual: manualLookAtJob(master, jobId),
    }),
    act({
      ...waysToEnd(view, name, jobId),
      node: master,
      holds: jobOver(jobId),
      requires: allOf(redundant(name), jobStill(jobId, JOB_STILL_MS, true)),
      premises: [stillThere(instance)],
      condition: jobOver(jobId),
      deadlineMs: JOB_END_MS,
      irreversible: true,
    }),
    jobStep(view, cleanup(name), {
      id: "cleanup-migration",
      title: "tidy up after the migration, where it did not end well by itself",
      holds: oldJobSucceeded(jobId),
      requires: queueFree([name], nodes),
      premises: [stillThere(instance), ...connectable(view, instance)],
      deadlineMs: NO_LIMIT_MS,
    }),
    wait({
      id: "await-clean",
      title: `${name} runs on Ganeti's primary node only, and its disks are redundant`,
      node: instance.primaryNode,
      condition: allOf(runsOnOne, redundant(name)),
      deadlineMs: SETTLE_MS,
      manual: [...manualLookAtInstance(master, name), ...look],
    }),
  ];
}

/** Ganeti kills a job since 2.13; before, it ends with the daemons. */
function waysToEnd(
  view: ClusterView,
  instance: string,
  jobId: number,
): Pick<Act, "id" | "title" | "action" | "manual"> {
  const master = masterOf(view);
  if (killsJobs(view.ssconf?.releaseVersion ?? ""))
    return {
      id: "kill-job",
      title: `kill job ${jobId}, which goes on no more`,
      action: { $case: "killMigrationJob", value: { jobId, instance } },
      manual: manualKillJob(master, jobId),
    };
  return {
    id: "restart-ganeti",
    title: `start Ganeti's daemons again, with which job ${jobId} ends, which goes on no more`,
    action: { $case: "restartGaneti", value: { jobId, instance } },
    manual: manualRestartGaneti(master),
  };
}

/** @param release "3.0.2"; empty: not known, and then it is one of now */
function killsJobs(release: string): boolean {
  const [, major = "3", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(major) > 2 || Number(minor) >= 13;
}

function migrateAgain({ view }: RunbookRequest, instance: GanetiInstance, target: string): PlanStep {
  const { name } = instance;
  const nodes = nodesOf(instance);
  const from = nodes.find((node) => node !== target) ?? "";
  return jobStep(view, migrate(name), {
    id: "migrate-again",
    title: `migrate ${name} to ${target}, where it was to go`,
    holds: instanceOn(name, target, true),
    requires: queueFree([name], nodes),
    premises: [placed(instance, { primaryNode: from, secondaryNodes: [target], notRunningOn: [target] })],
    afterwards: [instanceOn(name, target, true), redundant(name)],
    deadlineMs: MIGRATION_MS,
  });
}

/**
 * Where the migration was to bring the guest: Ganeti writes its new primary node down when the memory was copied, and
 * makes the old one Secondary then. While both are Primary it has not.
 */
function targetOf(instance: GanetiInstance, ends: readonly (readonly EndView[])[]): string {
  const before = ends.some(
    (pair) => pair.length === 2 && pair.every(({ drbd }) => drbd?.role === Role.PRIMARY),
  );
  return before ? (instance.secondaryNodes[0] ?? instance.primaryNode) : instance.primaryNode;
}

function isStalled(ends: readonly EndView[], minStillMs: number): boolean {
  const syncing = ends.filter(({ drbd }) => drbd !== undefined && isInSync(drbd));
  return syncing.length > 0 && syncing.every(({ stillMs }) => stillMs >= minStillMs);
}

function isResyncing(ends: readonly EndView[]): boolean {
  return ends.some(({ drbd }) => drbd !== undefined && isInSync(drbd));
}

function isStandAlone({ drbd }: EndView): boolean {
  return drbd?.connection === ConnectionState.STAND_ALONE;
}

function refusalsOf(disks: readonly Resource[], ends: readonly (readonly EndView[])[]): string[] {
  const why: string[] = disks.length === 0 ? ["it has no mirrored disk"] : [];
  for (const { end, unknown, inactive } of ends.flat()) {
    if (unknown !== "") why.push(`${end.node} minor ${end.minor} is unknown: ${unknown} (I7, I11)`);
    else if (inactive) why.push(`${end.node} minor ${end.minor} is not active: no resync of it can be reset`);
  }
  for (const { end } of ends.flat().filter(isStandAlone))
    why.push(`${end.node} is StandAlone: a person decides (I8)`);
  return why;
}

function noMigration(request: RunbookRequest, { name }: GanetiInstance, disks: readonly Resource[]) {
  const { view, nowMs } = request;
  const refusals = [`no migration of ${name} runs`];
  const resyncing = disks.filter((resource) =>
    endViews(view, resource, nowMs).some(({ drbd }) => drbd !== undefined && isInSync(drbd)),
  );
  const [first] = resyncing;
  if (first === undefined) return { refusals, wayOut: [`vigie do cleanup-migration ${name}`] };
  return { refusals, wayOut: resyncing.map((r) => `vigie do reset-stalled-sync ${name} ${r.diskIndex}`) };
}

function notesOf(
  request: RunbookRequest,
  instance: GanetiInstance,
  job: GanetiJob,
  stalled: readonly Resource[],
) {
  const { view, nowMs } = request;
  const disks = stalled.map(({ diskIndex }) => `disk/${diskIndex}`).join(", ");
  return [
    `job ${job.id}, ${job.summary}, runs`,
    stalled.length === 0
      ? "no resync of it stands still now: one that does by then is reset"
      : `its resync stands: ${disks}`,
    whereText(instance.name, whereItRuns(view, instance.name, nodesOf(instance), nowMs)),
    `job ${job.id} is ended only if it writes nothing more in its log while the disks are whole`,
  ];
}

function nodesOf({ primaryNode, secondaryNodes }: GanetiInstance): string[] {
  return [primaryNode, ...secondaryNodes];
}
