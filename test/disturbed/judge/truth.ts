/**
 * Whether what a plan assumes is so, in the simulated world itself: judged without the agents, the orchestrator's view, or
 * a line of its code, so that the two can disagree.
 */
import {
  ConnectionState,
  DiskState,
  Role,
  type Condition,
  type DrbdEnd,
  type InstancePlaced,
  type MayConnect,
  type NoCopyOn,
} from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import { endAt, type DiskModel, type DrbdEndModel } from "../../simulator/drbd-model.js";
import type { InstanceModel } from "../../simulator/ganeti-model.js";
import { nodeOf, reaches, type World } from "../../simulator/world.js";

/** @returns undefined: this judge does not know */
export function truthOf(cluster: SimCluster, { what }: Condition): boolean | undefined {
  const { world } = cluster;
  if (what?.$case === "instancePlaced") return isPlaced(world, what.value);
  if (what?.$case === "copyUpToDate") return isUpToDate(world, what.value.end);
  if (what?.$case === "mayConnect") return mayMeet(world, what.value);
  if (what?.$case === "noCopyOn") return !hasCopyOn(world, what.value);
  if (what?.$case === "nodeSilent") return !isHeard(cluster, what.value.node);
  if (what?.$case === "nodeQuiet") return isQuiet(world, what.value.node);
  if (what?.$case === "allOf") return all(what.value.conditions.map((one) => truthOf(cluster, one)));
  return undefined;
}

function hasCopyOn({ disks }: World, { instance, node }: NoCopyOn): boolean {
  return disks.some((disk) => disk.instance === instance && endAt(disk, node) !== undefined);
}

function all(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function isPlaced(world: World, placed: InstancePlaced): boolean {
  const instance = world.ganeti.instances.find(({ name }) => name === placed.instance);
  if (instance === undefined) return false;
  return (
    (placed.instanceUuid === "" || placed.instanceUuid === instance.uuid) &&
    (placed.adminState === "" || placed.adminState === instance.adminState) &&
    (placed.primaryNode === "" || placed.primaryNode === instance.primary) &&
    (placed.primaryNode === "" || same(secondariesOf(instance), placed.secondaryNodes)) &&
    (placed.diskUuids.length === 0 || same(uuidsOf(instance), placed.diskUuids)) &&
    placed.notRunningOn.every((node) => !nodeOf(world, node).guests.has(instance.name))
  );
}

function secondariesOf({ disks, primary }: InstanceModel): string[] {
  const nodes = new Set(disks.flatMap(({ ends }) => ends.map(({ node }) => node)));
  nodes.delete(primary);
  return [...nodes];
}

function uuidsOf({ disks, plain }: InstanceModel): string[] {
  return [...disks, ...plain].map(({ uuid }) => uuid);
}

/** In whatever order; each has a name once only. */
function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

export function endOf(
  world: World,
  end: DrbdEnd | undefined,
): { readonly disk: DiskModel; readonly own: DrbdEndModel } | undefined {
  const disk = world.disks.find(
    ({ uuid, instance, index }) =>
      instance === end?.instance && index === end.diskIndex && (end.diskUuid === "" || end.diskUuid === uuid),
  );
  const own = disk && endAt(disk, end?.node ?? "");
  return disk === undefined || own === undefined ? undefined : { disk, own };
}

function isUpToDate(world: World, end: DrbdEnd | undefined): boolean {
  const { own } = endOf(world, end) ?? {};
  return (
    own?.configured === true &&
    own.disk === DiskState.UP_TO_DATE &&
    own.connection !== ConnectionState.STAND_ALONE
  );
}

/** Neither end has a history of its own that the other lacks, but for the side that the plan gives up. */
function mayMeet(world: World, { end, givenUpAt }: MayConnect): boolean | undefined {
  const { disk } = endOf(world, end) ?? {};
  if (disk === undefined) return false;
  const [a, b] = disk.ends;
  const waits: readonly ConnectionState[] = [ConnectionState.WF_CONNECTION, ConnectionState.STAND_ALONE];
  if (disk.ends.every((each) => each.configured && !waits.includes(each.connection))) return true;
  if (givenUpAt !== "") return endAt(disk, givenUpAt)?.disk === DiskState.INCONSISTENT;
  if (!a.configured || !b.configured) return undefined;
  if (disk.ends.some(({ connection }) => connection === ConnectionState.STAND_ALONE)) return false;
  const apart = disk.ends.every(({ connection }) => connection === ConnectionState.WF_CONNECTION);
  if (!apart || disk.ends.some((each) => each.disk !== DiskState.UP_TO_DATE)) return true;
  const [ofA, ofB] = [a.generation, b.generation];
  return [ofB.current, ofB.bitmap].includes(ofA.current) || ofA.bitmap === ofB.current;
}

/** Its agent runs, and can be heard by the master's orchestrator. */
function isHeard({ world, runs }: SimCluster, node: string): boolean {
  const heard = node === world.master || reaches(world, node, world.master);
  return nodeOf(world, node).up && heard && runs("agent", node) && runs("orchestrator", world.master);
}

function isQuiet(world: World, node: string): boolean {
  const primaries = world.disks.some((disk) => {
    const end = endAt(disk, node);
    return end?.configured === true && end.role === Role.PRIMARY;
  });
  return nodeOf(world, node).guests.size === 0 && !primaries;
}
