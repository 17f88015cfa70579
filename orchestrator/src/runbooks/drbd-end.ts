/** One end of a mirrored disk, by everything that must agree before anything is done to it (I13). */
import { DrbdEnd } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource, ResourceEnd } from "../view/join.js";

export function drbdEnd(
  view: ClusterView,
  resource: Resource,
  own: ResourceEnd | undefined,
  peer: ResourceEnd | undefined,
): DrbdEnd {
  return DrbdEnd.create({
    instance: resource.instance,
    instanceUuid: resource.instanceUuid,
    diskIndex: resource.diskIndex,
    diskUuid: resource.diskUuid,
    node: own?.node ?? "",
    minor: own?.minor ?? 0,
    peerNode: peer?.node ?? "",
    peerMinor: peer?.minor ?? 0,
    localAddress: own?.address ?? "",
    peerAddress: peer?.address ?? "",
    port: resource.port,
    dataLv: resource.dataLv,
    bootId: view.nodes.get(own?.node ?? "")?.bootId ?? "",
    peerBootId: view.nodes.get(peer?.node ?? "")?.bootId ?? "",
  });
}

/** The end at a node; of a resource that has none there, an end that every agent refuses. */
export function drbdEndAt(view: ClusterView, resource: Resource, node: string): DrbdEnd {
  const own = resource.ends.find((end) => end.node === node);
  const peer = resource.ends.find((end) => end.node !== node);
  return drbdEnd(view, resource, own, peer);
}
