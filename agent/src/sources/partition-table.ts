/** `sfdisk`: the id of a disk's partition table, and the orders for a new table. Source: sfdisk(8). */
import { VigieError } from "@vigie/proto";
import type { Command } from "../host.js";

const TIMEOUT_MS = 15_000;
const WRITE_TIMEOUT_MS = 60_000;
const GPT_LVM = "E6D6D379-F507-44C2-A23C-238F2A3DF928"; // what type 8e is called there

export function tableIdOf(device: string): Command {
  return { file: "/usr/sbin/sfdisk", args: ["--disk-id", device], timeoutMs: TIMEOUT_MS };
}

/**
 * @returns "0x1234abcd" of a dos table, a UUID in small letters of a GPT
 * @throws VigieError PARSE_FAILED
 */
export function parseTableId(text: string): string {
  const id = text.trim().toLowerCase();
  if (/^0x[0-9a-f]{8}$/.test(id) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw new VigieError(
    "PARSE_FAILED",
    `the partition table's id is not one: ${JSON.stringify(id.slice(0, 60))}`,
  );
}

/** One partition of LVM's type over all of it. It reads its orders from stdin, and asks nothing there. */
export function onePartition(device: string, table: "dos" | "gpt", tableId: string): Command {
  const type = table === "gpt" ? GPT_LVM : "8e";
  return {
    file: "/usr/sbin/sfdisk",
    args: ["--wipe", "never", device],
    timeoutMs: WRITE_TIMEOUT_MS,
    input: `label: ${table}\nlabel-id: ${tableId}\ntype=${type}\n`,
  };
}
