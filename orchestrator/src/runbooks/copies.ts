/** Whether one copy of a mirrored disk may be given up: the other one must be whole by both ends' word (I1, I7). */
import { ConnectionState, connectionWord, DiskState, diskWord, type GanetiInstance } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";

export interface Copy {
  readonly resource: Resource;
  readonly own: EndView | undefined;
  readonly peer: EndView | undefined;
}

/** A mirrored disk as seen from one of its nodes. */
export function copyAt(view: ClusterView, resource: Resource, node: string, nowMs: number): Copy {
  const ends = endViews(view, resource, nowMs);
  return {
    resource,
    own: ends.find(({ end }) => end.node === node),
    peer: ends.find(({ end }) => end.node !== node),
  };
}

/** Why a new copy cannot be made from the one at this end; empty: it can. */
export function noSource(source: EndView | undefined, { adminState }: GanetiInstance): string {
  if (source === undefined) return "there is no copy";
  if (source.unknown !== "") return `${source.unknown} (I7)`;
  if (source.inactive && adminState !== "up") return ""; // stopped: Ganeti activates it, and looks itself
  if (source.drbd === undefined || source.inactive) return "it is not active";
  if (source.drbd.connection === ConnectionState.STAND_ALONE) return "it is StandAlone (I8)";
  if (source.drbd.disk === DiskState.UP_TO_DATE) return "";
  return `it is ${diskWord(source.drbd.disk)}: there is nothing to copy from (I1)`;
}

export function isDisklessHere({ own }: Copy): boolean {
  return own?.drbd?.disk === DiskState.DISKLESS;
}

/** Why the copy at `own` may not be given up; empty: the peer's is whole, and both ends say so. */
export function givingUpRefusals({ resource, own, peer }: Copy): string[] {
  const name = `${resource.instance} disk/${resource.diskIndex}`;
  if (own === undefined || peer === undefined) return [`${name}: it is not known where its copies are (I1)`];
  const unknown = [own, peer].filter((end) => end.unknown !== "");
  if (unknown.length > 0)
    return unknown.map((e) => `${name}: ${e.end.node} minor ${e.end.minor} is unknown: ${e.unknown} (I7)`);
  const idle = [own, peer].filter((end) => end.drbd === undefined || end.inactive);
  if (idle.length > 0)
    return [
      `${name}: not active on ${idle.map((e) => e.end.node).join(" and ")}, so which copy is whole is not known (I1)`,
    ];
  return statesRefusals(name, own, peer);
}

function statesRefusals(name: string, own: EndView, peer: EndView): string[] {
  const [here, there] = [own.drbd, peer.drbd];
  if (here === undefined || there === undefined) return [`${name}: unknown (I11)`];
  const why: string[] = [];
  for (const end of [own, peer])
    if (end.drbd?.connection !== ConnectionState.CONNECTED)
      why.push(`${end.end.node} is ${connectionWord(end.drbd?.connection ?? ConnectionState.UNSPECIFIED)}`);
  if (there.disk !== DiskState.UP_TO_DATE || here.peerDisk !== DiskState.UP_TO_DATE)
    why.push(`${peer.end.node}'s copy is ${diskWord(there.disk)}`);
  const ownIs = here.disk === DiskState.DISKLESS || here.disk === DiskState.UP_TO_DATE;
  if (!ownIs || there.peerDisk !== here.disk)
    why.push(`${own.end.node}'s copy is ${diskWord(here.disk)}, by its peer ${diskWord(there.peerDisk)}`);
  if ((here.outOfSyncKib ?? 0) > 0 || (there.outOfSyncKib ?? 0) > 0) {
    const diskless = here.disk === DiskState.DISKLESS; // then what it lacks is counted, and nothing is lost
    if (!diskless) why.push("it is not in sync");
  }
  return why.map((reason) => `${name}: ${reason} (I1)`);
}

const SEEN_TOGETHER_MS = 5_000; // two readings in a row: agents report each second

/**
 * Both copies of a stopped instance's disk are the same: the minor that its guest wrote to was seen to go while the mirror
 * was whole, with no time in between to write alone. Ganeti cannot know it: it activates what it has.
 *
 * @param primaryNode where its guest ran
 */
export function wasWholeWhenStopped(view: ClusterView, { ends }: Resource, primaryNode: string): boolean {
  const minor = ends.find(({ node }) => node === primaryNode)?.minor ?? -1;
  const last = view.nodes.get(primaryNode)?.lastListed.get(minor);
  return (
    last?.redundant === true && last.goneAtMs !== undefined && last.goneAtMs - last.atMs < SEEN_TOGETHER_MS
  );
}
