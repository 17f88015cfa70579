/** Conditions of one DRBD minor: without its disk, gone, let go by whoever held it. */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  Source,
  type CopyBroken,
  type CopyUpToDate,
  type DrbdEnd,
  type MinorDiskless,
  type MinorGone,
  type MinorNotHeld,
  type PartitionsUnmapped,
  type VictimReady,
} from "@vigie/proto";
import { IN_RESYNC } from "../../view/connection-states.js";
import type { ClusterView } from "../../view/cluster-view.js";
import { factsOf, unlisted } from "../../view/node-view.js";
import { never, NOT_YET, notYet, seen, type ConditionDefinition } from "./condition.js";
import { notOurs } from "./identity.js";

const DRBD_MAJOR = 147; // Documentation/admin-guide/devices.txt

export const minorDiskless: ConditionDefinition<MinorDiskless> = {
  asks: ({ end }) =>
    [end?.node ?? "", end?.peerNode ?? ""].map((node) => ({ node, source: Source.PROC_DRBD })),
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end);
      if (lost !== "") return never(lost);
      const own = minorAt(view, end?.node, end?.minor, sinceMs);
      const peer = minorAt(view, end?.peerNode, end?.peerMinor, sinceMs);
      if (own === "unknown" || peer === "unknown" || own === "none" || peer === "none") return NOT_YET;
      const words = `${diskWord(own.disk)}/${diskWord(own.peerDisk)} and ${diskWord(peer.disk)}/${diskWord(peer.peerDisk)}`;
      const without = own.disk === DiskState.DISKLESS && peer.peerDisk === DiskState.DISKLESS;
      return without && peer.disk === DiskState.UP_TO_DATE ? seen(words) : notYet(words);
    },
};

export const minorGone: ConditionDefinition<MinorGone> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.PROC_DRBD }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const own = minorAt(view, end?.node, end?.minor, sinceMs);
      if (own === "unknown") return NOT_YET;
      const lost = notOurs(view, end);
      if (lost !== "") return seen(lost); // whatever has that number now is another disk's
      if (own === "none" || own.connection === ConnectionState.UNCONFIGURED)
        return seen(`minor ${end?.minor} is gone on ${end?.node}`);
      return notYet(`${connectionWord(own.connection)} ${diskWord(own.disk)}`);
    },
};

export const minorNotHeld: ConditionDefinition<MinorNotHeld> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.HOLDERS, about: { minor: end?.minor ?? 0 } }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const answered = view.nodes.get(end?.node ?? "")?.holders.get(end?.minor ?? -1);
      if (answered === undefined || answered.readAtMs < sinceMs) return NOT_YET;
      const { holders } = answered.value;
      if (holders.length === 0) return seen(`nobody holds /dev/drbd${end?.minor}`);
      return notYet(
        `held by ${holders.map(({ name, pid }) => (pid > 0 ? `${name} (${pid})` : name)).join(", ")}`,
      );
    },
};

export const partitionsUnmapped: ConditionDefinition<PartitionsUnmapped> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.DEVICE_MAPPER }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(end?.node ?? "");
      const source = node?.sources.get(Source.DEVICE_MAPPER);
      const facts = factsOf(node, Source.DEVICE_MAPPER, "deviceMapper");
      if (source === undefined || facts === undefined || source.readAtMs < sinceMs) return NOT_YET;
      const maps = facts.devices.filter((device) => device.kpartxOf === `${DRBD_MAJOR}:${end?.minor}`);
      if (maps.length === 0) return seen(`no partition of /dev/drbd${end?.minor} is mapped`);
      return notYet(maps.map(({ name }) => name).join(", "));
    },
};

export const victimReady: ConditionDefinition<VictimReady> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.PROC_DRBD }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end);
      if (lost !== "") return never(lost);
      const own = minorAt(view, end?.node, end?.minor, sinceMs);
      if (own === "unknown" || own === "none") return NOT_YET;
      const words = `${connectionWord(own.connection)} ${diskWord(own.disk)}`;
      return own.disk === DiskState.INCONSISTENT ? seen(`${end?.node}: ${words}`) : notYet(words);
    },
};

export const copyUpToDate: ConditionDefinition<CopyUpToDate> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.PROC_DRBD }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end);
      if (lost !== "") return never(lost);
      const own = minorAt(view, end?.node, end?.minor, sinceMs);
      if (own === "unknown") return NOT_YET;
      const name = `the copy of ${end?.instance} disk/${end?.diskIndex} on ${end?.node}`;
      if (own === "none") return notYet(`${name} is not active`);
      // Not for ever: Ganeti itself disconnects for a moment while a job of its works on the disk.
      if (own.connection === ConnectionState.STAND_ALONE) return notYet(`${name} is StandAlone (I8)`);
      const words = `${name} is ${diskWord(own.disk)}`;
      return own.disk === DiskState.UP_TO_DATE ? seen(words) : notYet(`${words}, not UpToDate`);
    },
};

export const copyBroken: ConditionDefinition<CopyBroken> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.PROC_DRBD }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end);
      if (lost !== "") return never(lost);
      const own = minorAt(view, end?.node, end?.minor, sinceMs);
      if (own === "unknown") return NOT_YET;
      const name = `the copy of ${end?.instance} disk/${end?.diskIndex} on ${end?.node}`;
      if (own === "none" || own.connection === ConnectionState.UNCONFIGURED)
        return seen(`${name} is not active`);
      const words = `${name} is ${diskWord(own.disk)}`;
      if (IN_RESYNC.has(own.connection)) return notYet(`${words}, and somebody has it copied now`);
      return own.disk === DiskState.UP_TO_DATE ? never(`${words}: it is not to be made anew`) : seen(words);
    },
};

/** "none": it was read, and is not there; a damaged line is "unknown" (I11). */
export function minorAt(
  view: ClusterView,
  name: DrbdEnd["node"] | undefined,
  minor: number | undefined,
  sinceMs: number,
) {
  const node = view.nodes.get(name ?? "");
  const source = node?.sources.get(Source.PROC_DRBD);
  if (node === undefined || source === undefined || source.readAtMs < sinceMs) return "unknown";
  const found = node.minors.get(minor ?? -1);
  if (found !== undefined) return found.drbd ?? "unknown";
  const isListed =
    factsOf(node, Source.PROC_DRBD, "drbd") !== undefined && unlisted(source.report, minor ?? -1) === "";
  return isListed ? "none" : "unknown";
}
