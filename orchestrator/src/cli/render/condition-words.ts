/** What must be seen in the world, in words: a row a case. A plan is read by people before it is approved. */
import {
  NodeChangeKind,
  type Condition,
  type DiskIdentity,
  type DrbdEnd,
  type InstancePlaced,
} from "@vigie/proto";
import { count, duration } from "../../wording/format.js";

type What = NonNullable<Condition["what"]>;
type Words = { readonly [C in What["$case"]]: (value: Extract<What, { $case: C }>["value"]) => string };

/** A clause without a full stop; empty where nothing is asked. */
export function conditionText(condition: Condition | undefined): string {
  const what = condition?.what;
  if (what === undefined) return "";
  // Each row takes the value of its own case, which the compiler cannot join; a newer orchestrator's has no row.
  const words = WORDS[what.$case] as ((value: What["value"]) => string) | undefined;
  return words?.(what.value) ?? "something that this vigie does not know";
}

const WORDS: Words = {
  cutStands: ({ end }) => `the kernel of ${nodeOf(end)} lists the cut`,
  cutGone: ({ end }) => `the kernel of ${nodeOf(end)} lists no cut`,
  linkDown: () => "both ends in WFConnection",
  resyncMoves: () => "both ends connected, and in sync or progressing",
  jobSucceeded: ({ stepId, jobId }) => `${jobText(stepId, jobId)} has ended with success`,
  jobQueued: ({ stepId }) => `Ganeti has ${jobText(stepId, 0)}`,
  jobStill: ({ jobId, forMs }) => `job ${jobId} has written nothing in its log for ${duration(forMs)}`,
  resyncStands: ({ forMs }) => `the resync has not moved for ${duration(forMs)}`,
  stepRan: ({ stepId }) => `${stepId} was done`,
  jobOver: ({ jobId }) => `job ${jobId} is over`,
  queueFree: ({ instances, nodes }) =>
    `no job of Ganeti's waits for or holds ${list([...instances, ...nodes])}`,
  watcherPaused: ({ paused }) => `Ganeti's watcher is ${paused ? "" : "not "}paused`,
  redundant: ({ instance, forMs }) =>
    `every disk of ${instance} is UpToDate/UpToDate and in sync on both ends${forMs > 0 ? ` for ${duration(forMs)}` : ""}`,
  instanceOn: ({ instance, node, running }) =>
    running ? `${instance} runs on ${node}, and nowhere else` : `${instance} has its primary node in ${node}`,
  nodeEmpty: ({ node, ofPrimaries }) =>
    `no instance has ${node} as its primary${ofPrimaries ? "" : " or secondary"} node`,
  nodeFlagged: ({ node, change }) => `Ganeti has ${node} ${FLAG_TEXTS[change]}`,
  nodeReports: ({ node }) => `the agent of ${node} reports`,
  minorDiskless: ({ end }) => `${minorOf(end)} is Diskless, and its peer UpToDate`,
  minorGone: ({ end }) => `${minorOf(end)} is gone or Unconfigured`,
  minorNotHeld: ({ end }) => `nobody holds /dev/drbd${end?.minor ?? "?"} on ${nodeOf(end)}`,
  partitionsUnmapped: ({ end }) =>
    `no partition map stands on /dev/drbd${end?.minor ?? "?"} of ${nodeOf(end)}`,
  diskInState: ({ disk, state }) =>
    state === ""
      ? `the kernel lists ${diskOf(disk)} no more`
      : `the kernel has ${diskOf(disk)} in state ${state}`,
  mapsGone: ({ node, maps }) => `device-mapper of ${node} knows ${noneOf(maps.length)}`,
  volumeGroupOn: ({ vgName, disk }) => `the volume group ${vgName} lies on ${diskOf(disk)}`,
  volumeThere: ({ node, volume }) => `the volume ${volume} is on ${node}`,
  victimReady: ({ end }) => `${minorOf(end)} is Inconsistent: it has nothing to lose`,
  instancePlaced: placedText,
  noCopyOn: ({ instance, node }) => `${instance} has no copy on ${node}`,
  nodeSilent: ({ node }) => `${node} does not report, and no peer is connected with it`,
  nodeQuiet: ({ node }) => `no guest runs on ${node}, and no minor of it is Primary`,
  copyBroken: ({ end }) =>
    `the copy of ${end?.instance} disk/${end?.diskIndex} on ${end?.node} is still not UpToDate`,
  copyUpToDate: ({ end }) =>
    `the copy of ${end?.instance} disk/${end?.diskIndex ?? "?"} on ${nodeOf(end)} is UpToDate`,
  mayConnect: ({ end, givenUpAt }) =>
    givenUpAt === ""
      ? `neither end of ${end?.instance} disk/${end?.diskIndex ?? "?"} has writes of its own, or is StandAlone`
      : `${end?.instance} disk/${end?.diskIndex ?? "?"} is Inconsistent on ${givenUpAt}: nothing of it is lost`,
  commandsSucceeded: ({ stepId }) => `every command of ${stepId} exited with 0`,
  allOf: ({ conditions }) => conditions.map(asPart).join(", and "),
  anyOf: ({ conditions }) => conditions.map(asPart).join(", or "),
  personSays: ({ question }) => `a person says that it is so: ${question}`,
};

/** "web1 is up, primary h1, secondary h2, and does not run on h2". */
function placedText(planned: InstancePlaced): string {
  const { instance, adminState, primaryNode, secondaryNodes, notRunningOn } = planned;
  const parts = [
    ...(adminState === "" ? [] : [`is ${adminState} for Ganeti`]),
    ...(primaryNode === "" ? [] : [`has its primary node in ${primaryNode}`]),
    ...(secondaryNodes.length === 0 ? [] : [`its secondary in ${secondaryNodes.join(", ")}`]),
    ...(notRunningOn.length === 0 ? [] : [`does not run on ${notRunningOn.join(" or ")}`]),
  ];
  return parts.length === 0 ? `${instance} is still there` : `${instance} ${parts.join(", ")}`;
}

const FLAG_TEXTS: Readonly<Record<NodeChangeKind, string>> = {
  [NodeChangeKind.OFFLINE]: "marked offline",
  [NodeChangeKind.ONLINE]: "not marked offline",
  [NodeChangeKind.DRAIN]: "drained",
  [NodeChangeKind.UNDRAIN]: "not drained",
  [NodeChangeKind.UNSPECIFIED]: "changed",
  [NodeChangeKind.UNRECOGNIZED]: "changed",
};

/** One of several: in brackets where it is itself several. */
function asPart(condition: Condition): string {
  const nested = condition.what?.$case === "allOf" || condition.what?.$case === "anyOf";
  return nested ? `(${conditionText(condition)})` : conditionText(condition);
}

function jobText(stepId: string, jobId: number): string {
  return jobId === 0 ? `the job of ${stepId}` : `job ${jobId}`;
}

function noneOf(volumes: number): string {
  return volumes === 1 ? "the volume no more" : `none of ${count(volumes, "volume")} any more`;
}

function nodeOf(end: DrbdEnd | undefined): string {
  return end?.node ?? "?";
}

function minorOf(end: DrbdEnd | undefined): string {
  return `minor ${end?.minor ?? "?"} of ${nodeOf(end)}`;
}

function diskOf(disk: DiskIdentity | undefined): string {
  return `${disk?.name ?? "?"} of ${disk?.node ?? "?"}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "anything" : names.join(", ");
}
