/** What a node that comes back still has of its life before it was set offline. */
import { Role, roleWord, Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { freshFacts } from "../view/fresh-facts.js";
import { orphansOn } from "../view/ganeti-volumes.js";
import { onMaster } from "./manual-ganeti.js";
import { ganetiNode, reportsNow } from "./node-state.js";
import { masterOf } from "./plan.js";
import type { RunbookRequest } from "./runbook.js";

/** What the node still has of its life before it was set offline. */
export function remains(
  { view, nowMs }: RunbookRequest,
  node: string,
): { refusals: string[]; notes: string[] } {
  const seen = view.nodes.get(node);
  const known = ganetiNode(view, node);
  const refusals: string[] = [];
  if (known === undefined) refusals.push(`Ganeti does not tell of ${node}: ask again`);
  else if (!known.offline) refusals.push(`${node} is not offline: there is nothing to reinstate`);
  if (!reportsNow(seen, nowMs)) {
    refusals.push(`${node} does not report: what it still has is not known (I11)`);
    return { refusals, notes: [] }; // what it had when it was last heard is no fault of now
  }
  const guests = freshFacts(seen, Source.GUESTS, "guests", nowMs);
  if (guests.unknown !== "") refusals.push(guests.unknown);
  for (const { instance } of guests.facts?.guests ?? [])
    refusals.push(
      `${instance} still runs on ${node}, beside the one that was started elsewhere: stop it there first`,
    );
  for (const { object, reason } of guests.damaged)
    refusals.push(`${node} does not say whether ${object} runs there: ${reason} (I11)`);
  refusals.push(...minorRefusals(view, node));
  return { refusals, notes: orphanNotes(view, nowMs, node) };
}

function minorRefusals(view: ClusterView, node: string): string[] {
  const named = new Map(
    (view.resourcesByNode.get(node) ?? [])
      .filter(({ instance }) => instance !== "")
      .flatMap((resource) =>
        resource.ends.filter((end) => end.node === node).map((end) => [end.minor, resource] as const),
      ),
  );
  return [...(view.nodes.get(node)?.minors.values() ?? [])].flatMap(({ minor, drbd, unknown }) => {
    const resource = named.get(minor);
    if (drbd === undefined) return [`${node} minor ${minor} is unknown: ${unknown} (I11)`];
    if (resource === undefined)
      return [
        `${node} still has minor ${minor}, which Ganeti does not name there: ${node}# drbdsetup down resource${minor}`,
      ];
    if (drbd.role !== Role.PRIMARY) return [];
    const whose = `${resource.instance} disk/${resource.diskIndex}`;
    const isPrimary = view.instances.get(resource.instance)?.primaryNode === node;
    return isPrimary
      ? []
      : [`${node} minor ${minor}, ${whose}, is still ${roleWord(drbd.role)}: split brain (G#1167)`];
  });
}

/** Volumes that look like Ganeti's, and that Ganeti does not name there any more: room, and no danger. */
function orphanNotes(view: ClusterView, nowMs: number, node: string): string[] {
  const { volumes, unknown } = orphansOn(view, node, nowMs);
  if (unknown !== "") return [`which volumes on ${node} are of nobody is not known: ${unknown}`];
  if (volumes.length === 0) return [];
  const shown = volumes.slice(0, 3).map((volume) => `${node}# lvremove ${volume}`);
  return [
    `${volumes.length} volumes on ${node} are not named by Ganeti: ${shown.join("; ")}${volumes.length > 3 ? "; …" : ""} (look first: ${onMaster(masterOf(view), "gnt-cluster verify")})`,
  ];
}
