/**
 * Both sides wrote while they were apart, and one of them is given up. Which one is a person's decision (I8): without
 * a victim the plan only shows both sides; with one, the person types its node. The victim's data are kept in a
 * snapshot where its volume group has room for all of it, since the resync writes over every block.
 */
import { type GanetiInstance, Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { type WhereItRuns, whereItRuns, whereText } from "./guests.js";
import { given, instanceNamed, mirrorsOf, nodeNamed, wrong } from "./parameters.js";
import { makePlan } from "./plan.js";
import type { Runbook } from "./runbook.js";
import { guestRefusals, sideRefusals, splitDisks } from "./split-brain-refusals.js";
import { lossNotes, snapshotsOf, splitBrainSteps } from "./split-brain-steps.js";
import { sideText } from "./split-sides.js";
import { watcherSteps } from "./watcher.js";

export const resolveSplitBrain: Runbook = {
  name: "resolve-split-brain",
  version: 1,
  summary: "show both sides of a split brain, and give up the one that a person names",
  rung: "reinstall", // as far as it goes: data are given up
  explanation: [
    "Without victim it only shows both sides: roles, states, what changed since they parted, generations, where the",
    "guest runs. With victim=NODE it keeps a snapshot of that side where there is room, discards its data, lets",
    "Ganeti connect it, and waits until it has copied everything from the other side.",
    "",
    "Refuses: a victim on which the guest runs, a survivor that is not UpToDate, generations that are not known or are",
    "the same on both sides, an end that is unknown.",
    "",
    "By hand: on the victim's node",
    "  drbdsetup secondary 27; drbdsetup disconnect …; drbdsetup invalidate 27",
    "  and on the master  gnt-instance activate-disks nagios",
    "  (the wiki's gnt-instance migrate --cleanup lets DRBD choose the side by itself)",
  ],
  parameters: [
    { name: "instance", summary: "Ganeti's name of the instance", required: true },
    {
      name: "victim",
      summary: "the node whose data are given up; without: both sides are shown",
      required: false,
    },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.instance === "" ? undefined : { instance: subject.instance },
  asks: (request) => {
    const { view } = request;
    const { instance = "" } = given(resolveSplitBrain, request);
    const ends = mirrorsOf(view, instanceNamed(view, instance)).flatMap((resource) => resource.ends);
    return ends.map(({ node, minor }) => ({ node, minor, source: Source.DRBD_GENERATIONS }));
  },
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(resolveSplitBrain, request);
    const instance = instanceNamed(view, parameters["instance"] ?? "");
    const nodes = [instance.primaryNode, ...instance.secondaryNodes];
    const victim = victimOf(view, instance, parameters["victim"] ?? "");
    const split = splitDisks(view, instance, nowMs);
    const runs = whereItRuns(view, instance.name, nodes, nowMs);
    const shown = split.flatMap(({ resource, sides }) => sides.map((side) => sideText(resource, side)));
    const common = {
      subject: instance.name,
      parameters: { instance: instance.name, victim },
      touches: { resources: split.map(({ resource }) => resource), instances: [instance.name], nodes },
      destructive: true,
    };
    const general = [whereText(instance.name, runs), `Ganeti's primary node is ${instance.primaryNode}`];
    const nothing =
      split.length === 0 ? [`no end of ${instance.name} is StandAlone: there is nothing to decide`] : [];
    if (victim === "") {
      const ask = `say whose data are given up: ${nodes.map((node) => `victim=${node}`).join(" or ")}`;
      return makePlan(resolveSplitBrain, request, {
        ...common,
        steps: [],
        notes: [...shown, ...general],
        refusals: split.length === 0 ? nothing : [ask],
        wayOut:
          split.length === 0
            ? [`vigie do rebuild-redundancy ${instance.name}`]
            : victims(instance, nodes, runs),
      });
    }
    const refusals = [
      ...nothing,
      ...guestRefusals(instance, victim, runs),
      ...split.flatMap((s) => sideRefusals(request, s, victim)),
    ];
    const snapshots = snapshotsOf(request, split, victim);
    return makePlan(resolveSplitBrain, request, {
      ...common,
      steps: refusals.length === 0 ? splitBrainSteps(request, instance, split, victim, runs, snapshots) : [],
      notes: [
        ...shown,
        ...general,
        ...lossNotes(request, split, victim, snapshots),
        ...watcherSteps(request).notes,
      ],
      refusals,
      typedWord: victim,
    });
  },
};

function victimOf(view: ClusterView, instance: GanetiInstance, given: string): string {
  if (given === "") return "";
  const node = nodeNamed(view, given);
  const nodes = [instance.primaryNode, ...instance.secondaryNodes];
  if (!nodes.includes(node))
    throw wrong(`${instance.name} has no copy on ${node}: it has them on ${nodes.join(" and ")}`);
  return node;
}

/** Never one on which the guest runs. */
function victims({ name }: GanetiInstance, nodes: readonly string[], { on }: WhereItRuns): string[] {
  return nodes
    .filter((node) => !on.includes(node))
    .map((node) => `vigie do resolve-split-brain ${name} victim=${node}`);
}
