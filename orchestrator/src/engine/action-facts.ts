/**
 * What an action takes along that no plan can hold: the peers' reports of now, and how long it is good for. The agent's
 * guard refuses an action on a mirror without the other end's word (I7, I14).
 */
import { KernelLogKind, PeerReport, Source, type Action, type DrbdEnd, type PlanStep } from "@vigie/proto";
import type { ObservedAt } from "../gateway/gateway.js";
import type { ClusterView } from "../view/cluster-view.js";
import { factsOf } from "../view/node-view.js";

type ActionKind = NonNullable<Action["kind"]>;

const SECONDS = 1_000;

interface Manner {
  /** The request is dropped where it comes later: the facts that it was decided on are no older (I27). */
  readonly goodForMs: number;
  /** Longer than its commands may take. */
  readonly answerWithinMs: number;
  /** It may be sent although everything is stopped: it takes back, and does nothing new (I33). */
  readonly takesBack: boolean;
}

const ON_A_MIRROR: Manner = { goodForMs: 2 * SECONDS, answerWithinMs: 30 * SECONDS, takesBack: false };
const ON_A_NODE: Manner = { goodForMs: 10 * SECONDS, answerWithinMs: 60 * SECONDS, takesBack: false };
const ON_GANETI: Manner = { goodForMs: 10 * SECONDS, answerWithinMs: 60 * SECONDS, takesBack: false };
const LONG: Manner = { ...ON_GANETI, answerWithinMs: 900 * SECONDS };
const BACK: Manner = { goodForMs: 10 * SECONDS, answerWithinMs: 30 * SECONDS, takesBack: true };

const MANNERS: Readonly<Record<ActionKind["$case"], Manner>> = {
  cutDrbdLink: ON_A_MIRROR,
  restoreDrbdLink: BACK,
  submitGanetiJob: ON_GANETI,
  killMigrationJob: ON_GANETI,
  restartGaneti: { ...ON_GANETI, answerWithinMs: 120 * SECONDS },
  pauseWatcher: ON_GANETI,
  continueWatcher: BACK,
  readdNode: LONG,
  rebalance: { ...ON_GANETI, answerWithinMs: 3_900 * SECONDS }, // hbal may take an hour
  detachMinor: ON_A_MIRROR,
  setDiskOffline: ON_A_MIRROR,
  removeVolumeMaps: ON_A_NODE,
  deleteDisk: ON_A_NODE,
  locateDisk: ON_A_NODE,
  adoptDisk: ON_A_NODE,
  unmapPartitions: ON_A_NODE,
  downMinor: ON_A_NODE,
  snapshotVolume: ON_A_NODE,
  discardVictim: ON_A_MIRROR,
};

export function mannerOf({ action }: PlanStep): Manner {
  return MANNERS[action?.kind?.$case ?? "cutDrbdLink"];
}

type WithOnePeer = Extract<ActionKind, { $case: "cutDrbdLink" | "detachMinor" | "discardVictim" }>;

function hasOnePeer(kind: Action["kind"]): kind is WithOnePeer {
  return kind !== undefined && "peer" in kind.value;
}

/** The ends whose peers must speak before this is done. */
export function endsWithPeers({ kind }: Action): DrbdEnd[] {
  if (kind?.$case === "setDiskOffline") return kind.value.minors;
  return hasOnePeer(kind) && kind.value.end !== undefined ? [kind.value.end] : [];
}

/** Where each peer's generation is compared: with the own one, or with what a person chose. */
export function asksGenerations({ kind }: Action): boolean {
  return ["detachMinor", "setDiskOffline", "discardVictim"].includes(kind?.$case ?? "");
}

/** @param peers one for each of endsWithPeers(), in its order */
export function withPeers(action: Action, peers: PeerReport[]): Action {
  const { kind } = action;
  if (kind?.$case === "setDiskOffline") return { kind: { ...kind, value: { ...kind.value, peers } } };
  if (!hasOnePeer(kind)) return action;
  return { kind: { ...kind, value: { ...kind.value, peer: peers[0] } } as WithOnePeer };
}

/** What the peer of this end said, when it was asked for it. Its age is counted from the question, before it read. */
export function peerReport(
  end: DrbdEnd,
  at: ObservedAt,
  view: ClusterView,
  nowMs: number,
  askedSinceMs: number,
): PeerReport {
  const { report, still, redundant } = at.observed;
  const minors = report?.facts?.$case === "drbd" ? report.facts.value.minors : [];
  const generations = view.nodes.get(end.peerNode)?.generations.get(end.peerMinor);
  return PeerReport.create({
    node: end.peerNode,
    bootId: view.nodes.get(end.peerNode)?.bootId ?? "",
    drbd: minors.find((m) => m.minor === end.peerMinor),
    ageMs: Math.ceil(nowMs - at.askedAtMs),
    stillMs: still.find((s) => s.minor === end.peerMinor)?.stillMs ?? 0,
    redundantMs: redundant.find((r) => r.minor === end.peerMinor)?.redundantMs ?? 0,
    // A generation of before it was asked for now is not known (I11).
    currentUuid:
      generations !== undefined && generations.readAtMs >= askedSinceMs ? generations.value.currentUuid : "",
    ...diskErrors(view, end.peerNode, end.dataLv),
  });
}

/**
 * I/O errors that the node's kernel logged about the disks below a volume, whatever became of their lines; any disk's,
 * where it is not known which they are. Where its log cannot be read, none is not known (I11).
 */
function diskErrors(
  view: ClusterView,
  name: string,
  dataLv: string,
): Pick<PeerReport, "diskErrors" | "diskErrorsUnknown"> {
  const node = view.nodes.get(name);
  const log = factsOf(node, Source.KERNEL_LOG, "kernelLog");
  if (log === undefined)
    return { diskErrors: 0, diskErrorsUnknown: `the kernel's log of ${name} cannot be read` };
  const volumes = factsOf(node, Source.LVM, "lvm")?.logicalVolumes ?? [];
  const volume = volumes.find((lv) => `${lv.vgName}/${lv.lvName}` === dataLv);
  const disks = volume?.segments.flatMap(({ devices }) => devices).map(wholeDisk);
  const devices = factsOf(node, Source.BLOCK_DEVICES, "blockDevices")?.devices ?? [];
  const wwids = devices.flatMap((device) => (disks?.includes(device.name) ? [device.wwid] : []));
  const lines = log.lines.filter(
    ({ kind, device }) =>
      kind === KernelLogKind.IO_ERROR && (disks === undefined || disks.includes(wholeDisk(device))),
  );
  const counted = log.diskErrors.filter(
    (each) =>
      disks === undefined || (each.wwid === "" ? disks.includes(each.name) : wwids.includes(each.wwid)),
  );
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  return { diskErrors: Math.max(lines.length, total), diskErrorsUnknown: "" };
}

/** "/dev/sda2(0)" and "sda" are of the disk sda. */
function wholeDisk(device: string): string {
  const name = device.replace(/^\/dev\//, "").replace(/\(\d+\)$/, "");
  return /^(?:nvme|mmcblk)/.test(name) ? name.replace(/p\d+$/, "") : name.replace(/\d+$/, "");
}
