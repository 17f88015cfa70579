/**
 * Where Ganeti has an instance, and where its guest is seen: what a plan stands on. A person may migrate, remove or
 * stop it at any moment, so these are asked again in the moment before a step is sent (I15).
 */
import { Source, type GanetiInstance, type InstancePlaced, type NoCopyOn } from "@vigie/proto";
import { runsOn } from "../../view/guest-runs.js";
import { never, NOT_YET, notYet, seen, type ConditionDefinition } from "./condition.js";
import { askGaneti, freshGaneti } from "./ganeti.js";

export const instancePlaced: ConditionDefinition<InstancePlaced> = {
  asks: ({ notRunningOn }, view) => [
    ...askGaneti(view),
    ...notRunningOn.map((node) => ({ node, source: Source.GUESTS })),
  ],
  watch:
    (planned, { sinceMs }) =>
    (view) => {
      const facts = freshGaneti(view, sinceMs);
      if (facts === undefined) return NOT_YET;
      const is = facts.instances.find(({ name }) => name === planned.instance);
      if (is === undefined) return never(`Ganeti has no instance ${planned.instance} any more`);
      const [differs] = differences(planned, is);
      if (differs !== undefined) return never(`${planned.instance}: ${differs}`);
      for (const node of planned.notRunningOn) {
        const runs = runsOn(view.nodes.get(node), planned.instance, sinceMs);
        if (runs === "unknown") return notYet(`${node} does not say whether ${planned.instance} runs there`);
        if (runs === "yes") return never(`${planned.instance} runs on ${node}`);
      }
      return seen(`${planned.instance} is where the plan has it`);
    },
};

function differences(planned: InstancePlaced, is: GanetiInstance): string[] {
  const why: string[] = [];
  if (planned.instanceUuid !== "" && is.uuid !== planned.instanceUuid)
    why.push("it was removed, and this is another instance of the same name");
  if (planned.primaryNode !== "" && is.primaryNode !== planned.primaryNode)
    why.push(`its primary node is ${is.primaryNode}, and was to be ${planned.primaryNode}`);
  const asksSecondaries = planned.primaryNode !== "" || planned.secondaryNodes.length > 0;
  if (asksSecondaries && !sameSet(is.secondaryNodes, planned.secondaryNodes))
    why.push(`its secondary is ${list(is.secondaryNodes)}, and was to be ${list(planned.secondaryNodes)}`);
  if (planned.adminState !== "" && is.adminState !== planned.adminState)
    why.push(`Ganeti wants it ${is.adminState}, and wanted it ${planned.adminState}`);
  const disks = is.disks.map(({ uuid }) => uuid);
  if (planned.diskUuids.length > 0 && !sameSet(disks, planned.diskUuids))
    why.push(`its disks were changed: it has ${disks.length}, and had ${planned.diskUuids.length}`);
  return why;
}

export const noCopyOn: ConditionDefinition<NoCopyOn> = {
  asks: (_params, view) => askGaneti(view),
  watch:
    ({ instance, node }, { sinceMs }) =>
    (view) => {
      const facts = freshGaneti(view, sinceMs);
      if (facts === undefined) return NOT_YET;
      const is = facts.instances.find(({ name }) => name === instance);
      if (is === undefined) return never(`Ganeti has no instance ${instance} any more`);
      const nodes = [is.primaryNode, ...is.secondaryNodes, ...is.disks.flatMap((d) => [d.nodeA, d.nodeB])];
      if (nodes.includes(node)) return notYet(`${instance} still has a copy on ${node}`);
      return seen(`${instance} has no copy on ${node} any more`);
    },
};

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

function list(nodes: readonly string[]): string {
  return nodes.length === 0 ? "none" : nodes.join(", ");
}
