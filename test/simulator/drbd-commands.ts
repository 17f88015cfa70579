/** drbdsetup of one node, in the syntax of 8.4: what it shows, and what the kernel lets it change. */
import type { CommandOutcome } from "@vigie/agent";
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import {
  endAt,
  invalidate,
  loseDisk,
  part,
  peerOf,
  type DiskModel,
  type DrbdEndModel,
} from "./drbd-model.js";
import { partitionMapsOf } from "./maps.js";
import type { NodeModel } from "./node-model.js";
import { outcome } from "./outcome.js";
import { nodeOf, volumeNames, type World } from "./world.js";

interface At {
  readonly world: World;
  readonly node: NodeModel;
  readonly disk: DiskModel;
  readonly end: DrbdEndModel;
}

export function drbdsetup(world: World, node: NodeModel, args: readonly string[]): CommandOutcome {
  const [verb = "", first = ""] = args;
  const here = configuredAt(world, node);
  if (verb === "show") return outcome(0, here.map(shown).join(""));
  const byPort = here.find(({ disk }) => first.endsWith(`:${disk.port}`));
  const at =
    verb === "disconnect"
      ? byPort
      : here.find(({ end }) => String(end.minor) === first.replace("resource", ""));
  if (verb === "down" && at === undefined) return outcome(0); // F5
  if (at === undefined) return outcome(10, "", `${first}: Failure: (127) Device minor not allocated\n`);
  return change(verb, at);
}

function configuredAt(world: World, node: NodeModel): At[] {
  return world.disks.flatMap((disk) => {
    const end = endAt(disk, node.name);
    return end?.configured === true ? [{ world, node, disk, end }] : [];
  });
}

function change(verb: string, at: At): CommandOutcome {
  const { disk, end } = at;
  switch (verb) {
    case "get-gi":
      return generations(at);
    case "detach":
      if (end.role === Role.PRIMARY && !reachesData(at)) return refused("-2", "Need access to UpToDate data");
      loseDisk(disk, end);
      return outcome(0);
    case "secondary":
      if (isHeld(at)) return refused("-12", "Device is held open by someone");
      end.role = Role.SECONDARY;
      return outcome(0);
    case "disconnect":
      leave(at);
      return outcome(0);
    case "invalidate":
      if (end.role === Role.PRIMARY)
        return refused("-7", "Refusing to be Primary while peer is not outdated");
      invalidate(disk, end);
      return outcome(0);
    case "down":
      if (isHeld(at)) return refused("-12", "Device is held open by someone");
      leave(at);
      end.configured = false;
      return outcome(0);
    default:
      return outcome(20, "", `drbdsetup: unknown command ${verb}\n`);
  }
}

/** In good order: the peer waits for it from now on. */
export function leave({ disk, end }: Pick<At, "disk" | "end">): void {
  const peer = peerOf(disk, end);
  if (end.connection !== ConnectionState.STAND_ALONE) part(disk, end, ConnectionState.STAND_ALONE);
  if (peer.connection !== ConnectionState.STAND_ALONE && peer.connection !== ConnectionState.WF_CONNECTION)
    part(disk, peer, ConnectionState.WF_CONNECTION);
}

function reachesData({ disk, end }: At): boolean {
  return end.connection === ConnectionState.CONNECTED && peerOf(disk, end).disk === DiskState.UP_TO_DATE;
}

function isHeld({ node, disk, end }: At): boolean {
  const path = `/dev/drbd${end.minor}`;
  return (
    node.guests.has(disk.instance) ||
    partitionMapsOf(node, end.minor).length > 0 ||
    node.processes.some(({ opens }) => opens === path) ||
    node.mounts.some(({ device }) => device === path)
  );
}

function refused(code: string, why: string): CommandOutcome {
  return outcome(11, "", `0: State change failed: (${code}) ${why}\n`);
}

function generations({ end }: At): CommandOutcome {
  if (end.disk === DiskState.DISKLESS) return outcome(1, "", "Device has no disk\n");
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(16, "0");
  const { current, bitmap } = end.generation;
  const isPrimary = end.role === Role.PRIMARY ? 1 : 0;
  return outcome(
    0,
    `${hex(current + isPrimary)}:${hex(bitmap)}:${hex(0)}:${hex(0)}:1:1:${isPrimary}:0:0:0:0\n`,
  );
}

function shown({ world, node, disk, end }: At): string {
  const peer = nodeOf(world, peerOf(disk, end).node);
  const alone = end.connection === ConnectionState.STAND_ALONE;
  const { data, meta } = volumeNames(disk);
  const remote = `    net {
        cram-hmac-alg   	"md5";
        shared-secret   	"simulated";
    }
    _remote_host {
        address			ipv4 ${peer.address}:${disk.port};
    }
`;
  const backing = `            disk			"/dev/kvmvg/${data}";
            meta-disk			"/dev/kvmvg/${meta}";
`;
  return `resource resource${end.minor} {
    options {
    }
${alone ? "" : remote}    _this_host {
${alone ? "" : `        address			ipv4 ${node.address}:${disk.port};\n`}        volume 0 {
            device			minor ${end.minor};
${end.disk === DiskState.DISKLESS ? "" : backing}        }
    }
}
`;
}
