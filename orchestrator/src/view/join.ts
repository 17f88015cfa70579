/**
 * The join that makes the rest useful: minor ↔ instance, disk, peer node, peer minor, port, addresses, volume. What
 * belongs together is Ganeti's word; that a kernel has a minor which Ganeti does not name is kept as a resource of
 * its own, with one end and no instance, so that it is seen and never acted on.
 */
import type { GanetiDisk, GanetiFacts, GanetiInstance } from "@vigie/proto";
import type { NodeView } from "./node-view.js";

export interface Resource {
  readonly key: string; // disk uuid, or "NODE/MINOR" where Ganeti does not name it
  readonly instance: string; // empty: not Ganeti's
  readonly instanceUuid: string;
  readonly instanceSerial: number; // of Ganeti's configuration (I15)
  readonly diskIndex: number;
  readonly diskUuid: string;
  readonly sizeMib: number;
  readonly port: number; // TCP; 0: not known
  readonly dataLv: string; // "kvmvg/….disk0_data"
  readonly ends: readonly ResourceEnd[]; // the instance's primary node first
}

export interface ResourceEnd {
  readonly node: string;
  readonly minor: number;
  readonly address: string; // DRBD's: the node's secondary IP; empty: not known
}

export function joinResources(
  inventory: GanetiFacts | undefined,
  nodes: ReadonlyMap<string, NodeView>,
): Resource[] {
  const addresses = new Map(
    (inventory?.nodes ?? []).map((node) => [node.name, node.secondaryIp || node.primaryIp]),
  );
  const named = (inventory?.instances ?? []).flatMap((instance) =>
    instance.disks
      .filter((disk) => disk.type === "drbd")
      .map((disk) => mirroredDisk(instance, disk, addresses)),
  );
  const claimed = new Set(named.flatMap((resource) => resource.ends.map(endKey)));
  const offline = new Set((inventory?.nodes ?? []).filter((node) => node.offline).map(({ name }) => name));
  // What a dead node had when it was last heard is there no more, and would be told as unknown for weeks.
  const speaking = [...nodes.values()].filter((node) => node.connected || !offline.has(node.name));
  return [...named, ...unclaimed(speaking, claimed, addresses)];
}

function mirroredDisk(
  instance: GanetiInstance,
  disk: GanetiDisk,
  addresses: ReadonlyMap<string, string>,
): Resource {
  const a = { node: disk.nodeA, minor: disk.minorA, address: addresses.get(disk.nodeA) ?? "" };
  const b = { node: disk.nodeB, minor: disk.minorB, address: addresses.get(disk.nodeB) ?? "" };
  return {
    key: disk.uuid || `${instance.name}/${disk.index}`, // before Ganeti 2.9 a disk has no uuid
    instance: instance.name,
    instanceUuid: instance.uuid,
    instanceSerial: instance.serial,
    diskIndex: disk.index,
    diskUuid: disk.uuid,
    sizeMib: disk.sizeMib,
    port: disk.port,
    dataLv: disk.dataLv,
    ends: disk.nodeB === instance.primaryNode ? [b, a] : [a, b],
  };
}

function unclaimed(
  nodes: readonly NodeView[],
  claimed: ReadonlySet<string>,
  addresses: ReadonlyMap<string, string>,
): Resource[] {
  return nodes.flatMap((node) =>
    [...node.minors.keys()]
      .map((minor) => ({ node: node.name, minor, address: addresses.get(node.name) ?? "" }))
      .filter((end) => !claimed.has(endKey(end)))
      .map((end) => ({
        key: endKey(end),
        instance: "",
        instanceUuid: "",
        instanceSerial: 0,
        diskIndex: 0,
        diskUuid: "",
        sizeMib: 0,
        port: 0,
        dataLv: "",
        ends: [end],
      })),
  );
}

function endKey(end: { readonly node: string; readonly minor: number }): string {
  return `${end.node}/${end.minor}`;
}
