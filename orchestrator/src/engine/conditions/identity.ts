/**
 * Whose a minor is. Ganeti gives the number, the port and the addresses of a removed disk to the next one, so a
 * reading of "minor 3 of h1" says nothing about the planned disk once Ganeti has given the minor away (I13).
 */
import type { DrbdEnd } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";

/** @returns why the end is not the plan's any more; empty: it is, as far as Ganeti's configuration is known */
export function notOurs(view: ClusterView, end: DrbdEnd | undefined): string {
  if (end === undefined) return "the plan names no end";
  if (view.inventory === undefined) return ""; // it has just started; what needs Ganeti's word asks for it
  const owner = (view.resourcesByNode.get(end.node) ?? []).find((resource) =>
    resource.ends.some(({ node, minor }) => node === end.node && minor === end.minor),
  );
  const name = `${end.instance} disk/${end.diskIndex}`;
  if (owner === undefined || owner.instance === "") return `Ganeti has ${name} on ${end.node} no more`;
  const same =
    owner.instance === end.instance &&
    owner.port === end.port &&
    (end.diskUuid === "" || owner.diskUuid === end.diskUuid) &&
    (end.instanceUuid === "" || owner.instanceUuid === end.instanceUuid);
  if (same) return "";
  return `minor ${end.minor} of ${end.node} is not that of ${name} any more: Ganeti has it for ${owner.instance} disk/${owner.diskIndex}`;
}
