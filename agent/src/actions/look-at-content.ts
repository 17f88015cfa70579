/** What is written on a disk and who uses it, where the kernel's stack does not tell: for guards/disk-content.ts. */
import { explain, type Damaged } from "@vigie/proto";
import type { DiskPart, DiskStack } from "../disk-stack.js";
import { devicePath, FREE, IN_USE, type DiskUsers, type PartContent } from "../guards/disk-content.js";
import type { Host } from "../host.js";
import { processesWith } from "../sources/holders-processes.js";
import { loops } from "../sources/holders.js";
import { errorCode, runForOutput } from "../sources/reading.js";
import { parseWipefs, wipefs } from "../sources/wipefs.js";

/** One after the other: a disk that answers nothing is asked once, and then no more (I37). */
export async function contentsOf(parts: readonly DiskPart[], host: Host): Promise<PartContent[]> {
  const contents: PartContent[] = [];
  for (const { name } of parts) {
    const last = contents.at(-1);
    if (typeof last?.signatures === "string") contents.push({ ...last, name });
    else contents.push(await contentOf(name, host));
  }
  return contents;
}

async function contentOf(name: string, host: Host): Promise<PartContent> {
  try {
    const signatures = parseWipefs(await runForOutput(host, wipefs(devicePath(name))));
    return { name, signatures, claim: await claimOf(name, host) };
  } catch (error) {
    return { name, signatures: explain(error), claim: "not asked: it cannot be read" };
  }
}

/** A claim is a moment long, and never asked of what carries the group's volumes: it would keep one from becoming active. */
export async function claimOf(name: string, host: Host): Promise<PartContent["claim"]> {
  try {
    await host.claim(devicePath(name));
    return FREE;
  } catch (error) {
    return errorCode(error) === "EBUSY" ? IN_USE : explain(error);
  }
}

// It asks a SAS disk through a descriptor that may write, and a dying disk keeps it for minutes: it is our own.
const ASKS_ONLY = "smartctl";

/** By the names that the kernel gave it: a process that made itself another node of the device is not found. */
export async function usersOf({ parts }: DiskStack, host: Host): Promise<DiskUsers> {
  try {
    const paths = new Set(parts.map(({ name }) => devicePath(name)));
    const damaged: Damaged[] = [];
    const found = await processesWith(host, paths, damaged, "writing");
    const writers = found.filter(({ name }) => name !== ASKS_ONLY);
    const users = [
      ...(await loops(host, { paths })).map(({ name }) => `loop ${name}`),
      ...writers.map(({ name, pid }) => `process ${name} (${pid})`),
    ];
    const [first] = damaged;
    return { users, unknownBecause: first === undefined ? "" : `${first.object}: ${first.reason}` };
  } catch (error) {
    return { users: [], unknownBecause: explain(error) };
  }
}
