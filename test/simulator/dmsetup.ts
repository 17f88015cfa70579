/** dmsetup and kpartx on one node. */
import type { CommandOutcome } from "@vigie/agent";
import { partitionMapsOf, removeMap } from "./maps.js";
import type { MapModel, NodeModel } from "./node-model.js";
import { outcome } from "./outcome.js";
import { usesVolume, type World } from "./world.js";

export const DM_MAJOR = 254;

export function openCount(world: World, node: NodeModel, map: MapModel): number {
  const path = `/dev/mapper/${map.name}`;
  const opened = node.processes.filter(({ opens }) => opens === path).length;
  const mounted = node.mounts.filter(({ device }) => device === path).length;
  return opened + mounted + Number(usesVolume(world, node, map.name) !== undefined);
}

export function dmsetup(world: World, node: NodeModel, args: readonly string[]): CommandOutcome {
  const [verb = "", name = ""] = args;
  if (verb === "info") return outcome(0, lines(node.maps.map((map) => infoLine(world, node, map))));
  if (verb === "table")
    return outcome(0, lines(node.maps.map((map) => `${map.name}: 0 ${map.sectors} linear ${map.on} 2048`)));
  const map = node.maps.find((each) => each.name === name);
  if (map === undefined) return outcome(1, "", `Device ${name} not found\n`);
  if (openCount(world, node, map) > 0)
    return outcome(1, "", `device-mapper: remove ioctl on ${name} failed: Device or resource busy\n`);
  removeMap(node, name);
  return outcome(0);
}

/** As the agent asks for them: name, uuid, major, minor, open, suspended. */
function infoLine(world: World, node: NodeModel, map: MapModel): string {
  return [map.name, map.uuid, DM_MAJOR, map.minor, openCount(world, node, map), "Active"].join("|");
}

function lines(texts: readonly string[]): string {
  return texts.length === 0 ? "No devices found\n" : texts.map((text) => `${text}\n`).join("");
}

/** `kpartx -d /dev/drbdN`: those that are open stay, and the exit code does not say so. */
export function kpartx(world: World, node: NodeModel, args: readonly string[]): CommandOutcome {
  const minor = Number(/drbd(\d+)$/.exec(args[1] ?? "")?.[1] ?? -1);
  for (const map of partitionMapsOf(node, minor))
    if (openCount(world, node, map) === 0) removeMap(node, map.name);
  return outcome(0);
}
