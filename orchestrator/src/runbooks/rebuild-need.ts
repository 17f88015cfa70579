/**
 * What a mirrored disk needs to be redundant again, by what both its ends and its nodes' LVM tell.
 *
 * `replace-disks` makes a copy anew, and works while the minor of the broken side is still configured, as Diskless.
 * Where that minor is gone it fails, and so does activate-disks where the volumes are gone too; then a new secondary
 * is the way (ganeti#1000, #1372). On a stopped instance it activates the disks itself. Never -a where an end is
 * StandAlone: Ganeti 3.1 would take the good side for the faulty one; and always with the disks that are meant, for
 * without them it throws away the good copies of the instance's other disks.
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  replicates,
  Role,
  type GanetiInstance,
} from "@vigie/proto";
import { isInSync, type EndView } from "../view/end-view.js";
import { isRedundant } from "../view/node-view.js";
import type { Resource } from "../view/join.js";
import { IN_RESYNC } from "../view/connection-states.js";
import { noSource } from "./copies.js";
import { onMaster } from "./manual-ganeti.js";
import { manualDisconnect, manualResumeSync } from "./manual-minors.js";
import type { NodeVolumes } from "./node-volumes.js";

export type Side = "primary" | "secondary";

export type DiskNeed =
  | { readonly what: "nothing" }
  | { readonly what: "idle" } // stopped, and its volumes are there: nobody can tell more
  | { readonly what: "wait" } // a resync that moves
  | { readonly what: "activate"; readonly why: string }
  | { readonly what: "reconnect"; readonly empty: EndView; readonly why: string } // the copy at `empty` is Inconsistent
  | { readonly what: "replace"; readonly side: Side; readonly why: string }
  | { readonly what: "relocate"; readonly why: string }
  | { readonly what: "blocked"; readonly why: string; readonly wayOut: readonly string[] };

export interface NeedContext {
  readonly instance: GanetiInstance;
  readonly master: string;
  readonly offline: ReadonlySet<string>; // nodes that Ganeti marks so
  /** Why no other node can take all copies that the secondary has; empty: one can. */
  readonly noOtherNode: () => string;
  readonly volumesOf: (node: string) => NodeVolumes;
  readonly minStillMs: number;
  /** Of a stopped instance: both copies were seen to be the same when it was stopped. */
  readonly wasWhole: (resource: Resource) => boolean;
}

/** @param ends the instance's primary node first */
export function needOf(resource: Resource, ends: readonly EndView[], context: NeedContext): DiskNeed {
  const [primary, secondary] = ends;
  if (primary === undefined || secondary === undefined)
    return blocked("it is not known where its copies are");
  if (ends.every(({ unknown, drbd }) => unknown === "" && drbd !== undefined && isRedundant(drbd)))
    return { what: "nothing" };
  if (context.offline.has(primary.end.node))
    return blocked(`its primary node ${primary.end.node} is offline`, [
      `vigie do disable-dead-node ${primary.end.node}`,
    ]);
  if (context.offline.has(secondary.end.node)) {
    const none = noSource(primary, context.instance);
    if (none !== "")
      return blocked(`${secondary.end.node} is offline, and of ${primary.end.node}'s copy: ${none}`);
    return relocate(`${secondary.end.node} is offline`, context);
  }
  const silent = ends.find(({ unknown }) => unknown !== "");
  if (silent !== undefined)
    return blocked(`${silent.end.node} minor ${silent.end.minor}: ${silent.unknown} (I11)`);
  const need = linkNeed(resource, ends, context) ?? sidesNeed(resource, primary, secondary, context);
  const connects = need.what === "activate" || need.what === "reconnect";
  if (!connects || context.instance.adminState === "up") return need;
  const { name } = context.instance;
  return blocked("it is stopped, and its disks are connected when it starts", [
    onMaster(context.master, `gnt-instance deactivate-disks ${name}`),
  ]);
}

function linkNeed(
  { instance, diskIndex }: Resource,
  ends: readonly EndView[],
  { minStillMs }: NeedContext,
): DiskNeed | undefined {
  const alone = ends.find(({ drbd }) => drbd?.connection === ConnectionState.STAND_ALONE);
  if (alone !== undefined) return aloneNeed(instance, alone, ends);
  const primaries = ends.filter(({ drbd }) => drbd?.role === Role.PRIMARY);
  const connected = ends.every(({ drbd }) => drbd !== undefined && isConnected(drbd.connection));
  if (primaries.length === 2 && !connected)
    return blocked("both ends are Primary and apart: to connect them may give a side up (I8, F10)", [
      `vigie do resolve-split-brain ${instance}`,
    ]);
  const syncing = ends.filter(({ drbd }) => drbd !== undefined && isInSync(drbd));
  if (syncing.length > 0 && syncing.every(({ stillMs }) => stillMs >= minStillMs))
    return blocked("its resync stands still", [`vigie do reset-stalled-sync ${instance} ${diskIndex}`]);
  const busy = ends.some(({ drbd }) => drbd !== undefined && IN_RESYNC.has(drbd.connection));
  if (!busy) return undefined;
  const paused = ends.find(({ drbd }) => drbd?.resyncPausedByUser === true);
  if (paused === undefined) return { what: "wait" };
  const { node, minor } = paused.end;
  return blocked(`somebody paused its resync on ${node}`, [manualResumeSync(node, minor)]);
}

/**
 * A copy that is Inconsistent has nothing to lose, and DRBD never makes it the source (drbd_receiver.c,
 * drbd_sync_handshake): connected again, it is copied from the other one.
 */
function aloneNeed(instance: string, alone: EndView, ends: readonly EndView[]): DiskNeed {
  const empty = ends.find(({ drbd }) => drbd?.disk === DiskState.INCONSISTENT);
  const whole = ends.some(({ drbd }) => drbd?.disk === DiskState.UP_TO_DATE);
  const primaries = ends.filter(({ drbd }) => drbd?.role === Role.PRIMARY);
  // A Primary goes on writing, also to a copy that is not whole: what it wrote alone would be written over.
  if (empty !== undefined && empty.drbd?.role === Role.SECONDARY && whole && primaries.length < 2)
    return {
      what: "reconnect",
      empty,
      why: `${alone.end.node} is StandAlone, and ${empty.end.node}'s copy is Inconsistent`,
    };
  return blocked(`${alone.end.node} is StandAlone: a person decides (I8)`, [
    `vigie do resolve-split-brain ${instance}`,
  ]);
}

function isConnected(state: ConnectionState): boolean {
  return IN_RESYNC.has(state) || replicates(state);
}

function sidesNeed(resource: Resource, primary: EndView, secondary: EndView, context: NeedContext): DiskNeed {
  const up = context.instance.adminState === "up";
  if (primary.inactive && secondary.inactive)
    return up ? startable(resource, context) : stoppedNeed(resource, context);
  if (primary.inactive || secondary.inactive) return oneGone(resource, primary, secondary, context);
  const [own, peer] = [primary.drbd, secondary.drbd];
  if (own === undefined || peer === undefined) return blocked("one end is unknown (I11)");
  const whole = [own, peer].filter(({ disk }) => disk === DiskState.UP_TO_DATE);
  if (whole.length === 0)
    return blocked(`no copy is UpToDate: ${diskWord(own.disk)} and ${diskWord(peer.disk)} (I1)`);
  const apart = [own, peer].find(({ connection }) => !replicates(connection));
  if (apart !== undefined) return { what: "activate", why: connectionWord(apart.connection) };
  if (whole.length === 2) return differs(resource, primary, secondary, context);
  const side: Side = own.disk === DiskState.UP_TO_DATE ? "secondary" : "primary";
  const broken = side === "primary" ? primary : secondary;
  return replace(resource, broken, side, broken.drbd?.disk ?? DiskState.UNSPECIFIED, context);
}

/** What an online verify found stays so while they are connected: DRBD copies it when they connect the next time. */
function differs(
  { instance, port }: Resource,
  primary: EndView,
  secondary: EndView,
  { master }: NeedContext,
): DiskNeed {
  const kib = Math.max(primary.drbd?.outOfSyncKib ?? 0, secondary.drbd?.outOfSyncKib ?? 0);
  if (kib === 0) return { what: "wait" };
  const why = `${kib} KiB are out of sync, and are copied when its ends connect anew`;
  return blocked(why, [
    ...manualDisconnect(secondary.end, primary.end, port),
    onMaster(master, `gnt-instance activate-disks ${instance}`),
  ]);
}

/** The minor of one side is not there. */
function oneGone(resource: Resource, primary: EndView, secondary: EndView, context: NeedContext): DiskNeed {
  const [gone, left] = primary.inactive ? [primary, secondary] : [secondary, primary];
  const where = gone.end.node;
  if (left.drbd?.disk !== DiskState.UP_TO_DATE)
    return blocked(
      `minor ${gone.end.minor} of ${where} is gone, and ${left.end.node}'s copy is not UpToDate (I1)`,
    );
  const { unknown, has } = context.volumesOf(where);
  const there = has(resource.dataLv);
  if (unknown !== "" || there === "unknown") return blocked(unknown || oddVolume(resource, where));
  const why = `minor ${gone.end.minor} of ${where} is not there`;
  if (there === "yes") return { what: "activate", why };
  if (gone === secondary) return relocate(`${why}, nor are its volumes`, context);
  return blocked(`${why}, nor are its volumes, and it is Ganeti's primary node`);
}

function oddVolume({ dataLv }: Resource, node: string): string {
  return `${node}, LVM: the line of ${dataLv} was not understood (I11)`;
}

/** It should run, and no minor of it is there: Ganeti's own watcher starts it, or a person. */
function startable(resource: Resource, { instance }: NeedContext): DiskNeed {
  return blocked(`no minor of disk/${resource.diskIndex} is there, though ${instance.name} should run`);
}

/** A stopped instance has no minors: only its volumes can be looked for. */
function stoppedNeed(resource: Resource, context: NeedContext): DiskNeed {
  const missing: (readonly [Side, string])[] = [];
  for (const [i, { node }] of resource.ends.entries()) {
    const { unknown, has } = context.volumesOf(node);
    const there = has(resource.dataLv);
    if (unknown !== "" || there === "unknown") return blocked(unknown || oddVolume(resource, node));
    if (there === "no") missing.push([i === 0 ? "primary" : "secondary", node]);
  }
  const [first, second] = missing;
  if (first === undefined) return { what: "idle" };
  if (second !== undefined)
    return blocked(`${resource.dataLv} is whole on neither node: no copy is left (I1)`);
  // The primary's is the newest, for its guest ran there; the other one only where the mirror was whole.
  if (first[0] === "primary" && !context.wasWhole(resource))
    return blocked(
      `it is stopped, and it is not known that both copies were the same then: the one that is left may lack what was written (I1)`,
    );
  return withRoom(resource, first[1], context, {
    what: "replace",
    side: first[0],
    why: `${resource.dataLv} is not, or not whole, on ${first[1]}`,
  });
}

function replace(
  resource: Resource,
  { end }: EndView,
  side: Side,
  disk: DiskState,
  context: NeedContext,
): DiskNeed {
  const why = `${end.node}'s copy is ${diskWord(disk)}`;
  return withRoom(resource, end.node, context, {
    what: "replace",
    side,
    why,
  });
}

/** A new copy of every disk on a third node, which becomes the secondary. */
function relocate(why: string, { noOtherNode }: NeedContext): DiskNeed {
  const none = noOtherNode();
  return none === "" ? { what: "relocate", why } : blocked(`${why}, and ${none}`);
}

/** Ganeti wants a volume group of the same name there. */
function withRoom(resource: Resource, node: string, { volumesOf }: NeedContext, need: DiskNeed): DiskNeed {
  const vg = resource.dataLv.split("/")[0] ?? "";
  const { unknown, freeBytes } = volumesOf(node);
  if (unknown !== "") return blocked(unknown);
  if (!freeBytes.has(vg))
    return blocked(`${node} has no volume group ${vg}`, [`vigie do adopt-disk ${node} DISK`]);
  return need;
}

function blocked(why: string, wayOut: readonly string[] = []): DiskNeed {
  return { what: "blocked", why, wayOut };
}
