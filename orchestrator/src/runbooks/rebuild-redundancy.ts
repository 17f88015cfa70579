/**
 * Every mirrored disk that has one copy only gets its second one back: attached and connected where it is there,
 * made anew where it is not, on another node where it cannot be. One after the other, for two resyncs at once only
 * make both slow; the guests run meanwhile. It may take days, and the plan waits.
 */
import type { ClusterView } from "../view/cluster-view.js";
import { sizeText } from "./disk-devices.js";
import { volumesByNode } from "./node-volumes.js";
import { given, wholeNumber } from "./parameters.js";
import { makePlan } from "./plan.js";
import { ownerOf, scopeOf } from "./rebuild-scope.js";
import { rebuildSteps } from "./rebuild-steps.js";
import { isWork, roomRefusals, type Work, workOf } from "./rebuild-work.js";
import { copyTimeText } from "./resync-rate.js";
import type { Runbook } from "./runbook.js";

const AT_ONCE_MAX = 8;

export const rebuildRedundancy: Runbook = {
  name: "rebuild-redundancy",
  version: 1,
  summary: "give every disk that has one copy only its second copy back",
  rung: "fix-storage",
  explanation: [
    "Attaches and connects copies that are there, makes those anew that are not, and takes another node where the",
    "old one cannot hold them. One instance after the other, and waits for each resync.",
    "",
    "Refuses: an end that is unknown or StandAlone, a resync that stands still, a disk of which no copy is UpToDate,",
    "a node without the volume group or without room. Of a whole node or cluster it leaves those out, and says so.",
    "",
    "By hand, on the master:",
    "  gnt-instance replace-disks --submit -s --disks=0 VMname   (the secondary's copy of disk/0 is missing)",
    "  gnt-instance replace-disks --submit -p --disks=0 VMname   (likewise, the primary's)",
    "  without --disks Ganeti throws away the good copies of the other disks too",
  ],
  parameters: [
    {
      name: "target",
      summary: "a node, or instances with commas between; without: the cluster",
      required: false,
    },
    {
      name: "at_once",
      summary: `how many resyncs at once, 1 to ${AT_ONCE_MAX}; 1 unless given`,
      required: false,
    },
  ],
  forIncident: ({ subject }, view) => {
    if (subject === undefined) return undefined;
    const name = subject.instance || (ownerOf(view, subject.device) ?? "");
    return name === "" ? undefined : { target: name };
  },
  plan: (request) => {
    const { view } = request;
    const parameters = given(rebuildRedundancy, request);
    const scope = scopeOf(view, parameters["target"] ?? "");
    const atOnce = wholeNumber("at_once", parameters["at_once"], 1, 1, AT_ONCE_MAX);
    const volumesOf = volumesByNode(view, request.nowMs);
    const works = scope.instances.map((instance) => workOf(request, instance, volumesOf));
    const blocked = works.filter((work) => work.blocked.length > 0);
    const doable = works.filter((work) => work.blocked.length === 0 && isWork(work));
    const room = roomRefusals(doable, volumesOf);
    const why = blocked.flatMap((work) => work.blocked.map((line) => `${work.instance.name}: ${line}`));
    const refuse = scope.named || doable.length === 0;
    const refusals = [
      ...(refuse ? why : []),
      ...room.map(({ text }) => text),
      ...(works.some(isWork) ? [] : [`${scope.subject}: every disk that is active is redundant`]),
    ];
    return makePlan(rebuildRedundancy, request, {
      subject: scope.subject,
      parameters: { target: scope.target, at_once: atOnce === 1 ? "" : String(atOnce) },
      steps: refusals.length === 0 ? rebuildSteps(request, doable, atOnce) : [],
      touches: { resources: doable.flatMap((work) => work.disks) },
      notes: [...notesOf(view, doable, works), ...(refuse ? [] : why.map((line) => `left out: ${line}`))],
      refusals,
      wayOut: [...blocked.flatMap((work) => work.wayOut), ...room.map(({ wayOut }) => wayOut)],
      destructive: true,
    });
  },
};

function notesOf(view: ClusterView, doable: readonly Work[], works: readonly Work[]): string[] {
  const copied = doable.flatMap(({ jobs }) => jobs.flatMap(({ disks }) => disks));
  const mib = copied.reduce((sum, { sizeMib }) => sum + sizeMib, 0);
  const nodes = doable.flatMap(({ disks }) => disks.flatMap(({ ends }) => ends.map((end) => end.node)));
  const idle = works.filter((work) => !isWork(work) && work.instance.adminState !== "up").length;
  return [
    `${doable.length} instances, of ${works.length}, have disks with one copy only`,
    ...(mib === 0
      ? []
      : [`${sizeText(mib * 2 ** 20)} are to be copied: ${copyTimeText(view, new Set(nodes), mib * 1024)}`]),
    ...(idle === 0
      ? []
      : [`${idle} stopped instances have volumes on both nodes; more cannot be seen while they are stopped`]),
  ];
}
