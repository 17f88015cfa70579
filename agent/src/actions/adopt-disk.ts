/**
 * A blank disk becomes a physical volume of the volume group that Ganeti wants (W2). The tools ask before they
 * overwrite anything that they find, nobody answers, and that is "no": so there is no flag that says yes (I5). What a
 * killed try left behind bears its mark, and is gone on with.
 */
import { explain, Source, VigieError, type AdoptDisk, type DiskIdentity, type LvmFacts } from "@vigie/proto";
import { checkDisk, checkLvmName } from "../argument-types.js";
import { judgeAdoption, type SeenForAdoption } from "../guards/adopt-disk.js";
import type { DiskUsers, PartContent } from "../guards/disk-content.js";
import type { Command } from "../host.js";
import { isOwnPv, ownMark, pvPath, type OwnMark } from "../own-mark.js";
import { onePartition, parseTableId, tableIdOf } from "../sources/partition-table.js";
import { runForOutput } from "../sources/reading.js";
import { parseWipefs, wipefs } from "../sources/wipefs.js";
import type { ActionDefinition, ActionStep, Asker, Look } from "./action.js";
import { identityOfDisk } from "./identity.js";
import { claimOf, usersOf } from "./look-at-content.js";
import { diskLock, hostUse, seenDisk, stackOf, stateByWwid } from "./look-at-disk.js";

const TIMEOUT_MS = 60_000; // LVM waits for its lock, and reads every disk
const SETTLE_S = 20; // for udev to make the partition's device node

export const adoptDisk: ActionDefinition<AdoptDisk> = {
  name: "adoptDisk",
  about: ({ disk }) => disk?.node ?? "",
  check: ({ disk, vgName }) => {
    checkDisk(disk);
    checkLvmName(vgName, "volume group");
  },
  locks: ({ disk, vgName }) => [diskLock(disk), `volume group ${vgName}`],
  opens: ({ disk }) => disk?.name ?? "",
  factsMaxAgeMs: 30_000, // LVM and wipefs read the disk; whose name it has and who uses it is looked at last
  guard: async (params, look) =>
    judgeAdoption(params, await seenForAdoption(params.disk, look), markOf(params, look.asker)),
  holds: async (params, look) => {
    const path = pvPath(params);
    if ((await stateByWwid(params.disk, look)) === undefined) return false; // the name is another disk's, or nobody's
    const isSo = await inGroup(path, params.vgName, look);
    return isSo === true && { message: `${path} is a physical volume of ${params.vgName}` };
  },
  identity: ({ disk }, look) => identityOfDisk(disk, look),
  steps: (params, asker) => {
    const { disk, partition, vgName } = params;
    if (disk === undefined) return [];
    const device = devicePath(disk);
    const path = pvPath(params);
    const mark = markOf(params, asker);
    const pvIsMissing = async (look: Look): Promise<boolean> => !(await hasOwnPv(params, mark, look));
    return [
      ...(partition
        ? [
            {
              run: onePartition(device, mark.table, mark.tableId),
              needed: async (look: Look) => (await tableIdNow(disk, look)) !== mark.tableId,
            },
            { run: settle(), needed: pvIsMissing },
          ]
        : []),
      { run: lvm("pvcreate", "--uuid", mark.pvUuid, "--norestorefile", path), needed: pvIsMissing },
      { run: lvm("vgextend", vgName, path), needed: (look) => groupIsThere(vgName, look) },
      { run: lvm("vgcreate", vgName, path), needed: async (look) => !(await groupIsThere(vgName, look)) },
    ] satisfies ActionStep[];
  },
  verify: async (params, look) => {
    const path = pvPath(params);
    const isSo = await inGroup(path, params.vgName, look);
    if (typeof isSo === "string") return { done: "unknown", message: isSo };
    const message = `LVM lists ${path} ${isSo ? "in" : "not in"} ${params.vgName}`;
    return { done: isSo, message };
  },
};

function markOf(params: AdoptDisk, { runId, stepId }: Asker): OwnMark {
  return ownMark(params, runId, stepId);
}

function devicePath(disk: DiskIdentity | undefined): string {
  return `/dev/${(disk?.name ?? "").replaceAll("!", "/")}`;
}

function settle(): Command {
  return {
    file: "/usr/bin/udevadm",
    args: ["settle", `--timeout=${SETTLE_S}`],
    timeoutMs: (SETTLE_S + 5) * 1000,
  };
}

function lvm(tool: string, ...args: string[]): Command {
  return { file: `/usr/sbin/${tool}`, args, timeoutMs: TIMEOUT_MS };
}

async function seenForAdoption(disk: DiskIdentity | undefined, look: Look): Promise<SeenForAdoption> {
  if (disk === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no disk");
  const lvmReport = await look.read(Source.LVM);
  const { facts, reason, damaged } = lvmReport;
  const signatures = await runForOutput(look.host, wipefs(devicePath(disk)))
    .then(parseWipefs)
    .catch((error: unknown) => explain(error));
  const tableId = await tableIdNow(disk, look);
  const lvm =
    facts?.$case === "lvm"
      ? { facts: facts.value, damaged: damaged.map(({ object, reason: why }) => `${object} ${why}`) }
      : `LVM: ${reason}`;
  const stack = await stackOf(disk, look).catch((error: unknown) => explain(error));
  const parts = typeof stack === "string" ? [] : stack.parts;
  const users: DiskUsers =
    typeof stack === "string" ? { users: [], unknownBecause: stack } : await usersOf(stack, look.host);
  const claims: Pick<PartContent, "name" | "claim">[] = [];
  for (const { name } of parts) claims.push({ name, claim: await claimOf(name, look.host) });
  const use = await hostUse(look.host);
  return { ...(await seenDisk(disk, look)), stack, use, claims, users, signatures, tableId, lvm };
}

/** Empty without partitions, and where it cannot be read: then they are not ours. */
async function tableIdNow(disk: DiskIdentity, look: Look): Promise<string> {
  const stack = await stackOf(disk, look).catch(() => undefined);
  if (stack === undefined || stack.parts.length < 2) return "";
  return runForOutput(look.host, tableIdOf(devicePath(disk)))
    .then(parseTableId)
    .catch(() => "");
}

/** @throws VigieError SOURCE_FAILED where nobody can say: then nothing is made (I11) */
async function hasOwnPv(params: AdoptDisk, mark: OwnMark, look: Look): Promise<boolean> {
  return (await lvmNow(look)).physicalVolumes.some((pv) => isOwnPv(pv, params, mark));
}

/** A text: nobody can say. */
async function inGroup(path: string, vgName: string, look: Look): Promise<boolean | string> {
  const { facts, reason } = await look.read(Source.LVM);
  if (facts?.$case !== "lvm") return `LVM: ${reason}`;
  return facts.value.physicalVolumes.some((pv) => pv.pvName === path && pv.vgName === vgName);
}

/** @throws VigieError SOURCE_FAILED where nobody can say: then neither is run (I11) */
async function groupIsThere(vgName: string, look: Look): Promise<boolean> {
  return (await lvmNow(look)).volumeGroups.some((group) => group.vgName === vgName);
}

async function lvmNow(look: Look): Promise<LvmFacts> {
  const { facts, reason } = await look.read(Source.LVM);
  if (facts?.$case !== "lvm") throw new VigieError("SOURCE_FAILED", `LVM: ${reason}`);
  return facts.value;
}
