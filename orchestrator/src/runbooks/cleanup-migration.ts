/**
 * Tidy up after a migration that is over and did not end well: Ganeti looks where the guest runs, makes that its
 * primary node, and connects the disks as they should be. It connects them anew, and Ganeti's settings let DRBD give
 * a side up by itself then (F10), so it is refused where the ends are apart.
 */
import { ConnectionState, Role, type GanetiInstance } from "@vigie/proto";
import { endViews, isInSync, type EndView } from "../view/end-view.js";
import { isLinked } from "../view/node-view.js";
import { instanceOn, queueFree, redundant, allOf } from "./conditions.js";
import { NO_LIMIT_MS, SETTLE_MS } from "./deadlines.js";
import { cleanup, jobStep } from "./ganeti-jobs.js";
import { whereItRuns, whereText, type WhereItRuns } from "./guests.js";
import { isMigration, jobsOf } from "./jobs-in-queue.js";
import { manualLookAtInstance } from "./manual-ganeti.js";
import { given, instanceNamed, mirrorsOf } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import { connectable, goodCopies, placed } from "./premises.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { wait } from "./steps.js";

export const cleanupMigration: Runbook = {
  name: "cleanup-migration",
  version: 1,
  summary: "tidy up after a migration that did not end well",
  rung: "migrate",
  explanation: [
    "Lets Ganeti find out where the guest runs, makes that its primary node, and connects its disks as they should be.",
    "",
    "Refuses: a migration that still runs, a resync that runs, an end that is unknown or StandAlone, a guest that runs",
    "on two nodes or on none.",
    "",
    "By hand, on the master:",
    "  gnt-instance migrate --cleanup nagios",
  ],
  parameters: [{ name: "instance", summary: "Ganeti's name of the instance", required: true }],
  forIncident: ({ subject }) =>
    subject === undefined || subject.instance === "" ? undefined : { instance: subject.instance },
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(cleanupMigration, request);
    const instance = instanceNamed(view, parameters["instance"] ?? "");
    const { name } = instance;
    const nodes = [instance.primaryNode, ...instance.secondaryNodes];
    const disks = mirrorsOf(view, instance);
    const ends = disks.flatMap((resource) => endViews(view, resource, nowMs));
    const runs = whereItRuns(view, name, nodes, nowMs);
    const refusals = refusalsOf(request, instance, nodes, ends, runs);
    const [on = instance.primaryNode] = runs.on;
    const steps = [
      jobStep(view, cleanup(name), {
        id: "cleanup-migration",
        title: `tidy up after the migration of ${name}, which runs on ${on}`,
        requires: queueFree([name], nodes),
        premises: [
          placed(instance, { notRunningOn: nodes.filter((node) => node !== on) }),
          ...goodCopies(view, disks, nowMs),
          ...connectable(view, instance),
        ],
        deadlineMs: NO_LIMIT_MS,
      }),
      wait({
        id: "await-clean",
        title: `${name} runs on ${on} only, Ganeti names it as the primary node, and its disks are redundant`,
        node: on,
        condition: allOf(instanceOn(name, on, true), redundant(name)),
        deadlineMs: SETTLE_MS,
        manual: manualLookAtInstance(masterOf(view), name),
      }),
    ];
    return makePlan(cleanupMigration, request, {
      subject: name,
      parameters: { instance: name },
      steps: refusals.length === 0 ? steps : [],
      touches: { resources: disks, nodes },
      notes: [whereText(name, runs), `Ganeti's primary node is ${instance.primaryNode}`],
      refusals,
      wayOut: wayOut(request, instance, ends),
      destructive: true,
    });
  },
};

function refusalsOf(
  { view }: RunbookRequest,
  { name }: GanetiInstance,
  nodes: readonly string[],
  ends: readonly EndView[],
  { on, unknown }: WhereItRuns,
): string[] {
  const why = ends.length === 0 ? [`${name} has no mirrored disk`] : [];
  if (ends.filter(isPrimaryApart).length > 1)
    why.push(
      `${name} is Primary on both nodes, which are apart: to connect them may give a side up (I8, F10)`,
    );
  for (const job of jobsOf(view, name))
    if (isMigration(job)) why.push(`job ${job.id}, ${job.summary}, is ${job.status}`);
  for (const end of ends) why.push(...endRefusals(end));
  const strange = on.filter((node) => !nodes.includes(node));
  if (unknown.length > 0) why.push(`${unknown.join(" and ")} does not tell whether ${name} runs there (I7)`);
  if (strange.length > 0) why.push(`${name} runs on ${strange.join(" and ")}, where it has no disk`);
  if (on.length > 1)
    why.push(`${name} runs on ${on.join(" and ")} at once: a person decides which one is stopped`);
  if (on.length === 0 && unknown.length === 0)
    why.push(`${name} runs nowhere: ${masterOf(view)}# gnt-instance stop ${name} tidies it up`);
  return why;
}

function isPrimaryApart({ drbd }: EndView): boolean {
  return drbd?.role === Role.PRIMARY && !isLinked(drbd);
}

function endRefusals({ end, drbd, unknown, inactive }: EndView): string[] {
  if (unknown !== "") return [`${end.node} minor ${end.minor} is unknown: ${unknown} (I7)`];
  if (inactive || drbd === undefined) return [`${end.node} minor ${end.minor} is not active`];
  if (drbd.connection === ConnectionState.STAND_ALONE)
    return [`${end.node} is StandAlone: to connect it may give a side up (I8)`];
  return isInSync(drbd) ? [`a resync runs on ${end.node}: the cleanup would wait for it`] : [];
}

function wayOut(
  { view, minStillMs }: RunbookRequest,
  { name }: GanetiInstance,
  ends: readonly EndView[],
): string[] {
  const running = jobsOf(view, name).some((job) => isMigration(job) && job.status === "running");
  const alone =
    ends.some(({ drbd }) => drbd?.connection === ConnectionState.STAND_ALONE) ||
    ends.filter(isPrimaryApart).length > 1;
  const still = ends.some((end) => end.drbd !== undefined && isInSync(end.drbd) && end.stillMs >= minStillMs);
  if (running) return [`vigie do recover-stuck-migration ${name}`];
  if (alone) return [`vigie do resolve-split-brain ${name}`];
  return still ? [`vigie do reset-stalled-sync ${name}`] : [];
}
