import type { DiskErrors } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KERNEL_LOG_RECORDS_MAX } from "../host.js";
import { kernelLogSource } from "./kernel-log.js";
import { fakeHost, FUZZ_RUNS } from "./testing.js";

/** A node whose disks and log a test changes. */
function node() {
  const disks = new Map<string, { wwid: string; address: string }>();
  const log: string[] = [];
  let sequence = 0;
  const source = kernelLogSource();
  const host = {
    ...fakeHost({}),
    listFolder: async () => [...disks.keys(), "dm-0"],
    readFile: async (path: string) => {
      const [, name = "", file = ""] = /^\/sys\/block\/([^/]+)\/(.+)$/.exec(path) ?? [];
      const disk = disks.get(name);
      if (disk === undefined) throw new Error("ENOENT");
      if (file === "dev") return `8:${[...disks.keys()].indexOf(name)}\n`;
      if (file === (name.startsWith("nvme") ? "wwid" : "device/wwid")) return `${disk.wwid}\n`;
      throw new Error("ENOENT");
    },
    readLink: async (path: string) => `../../../${disks.get(path.split("/")[3] ?? "")?.address}`,
    newKernelLogRecords: async () => log.splice(0, KERNEL_LOG_RECORDS_MAX),
  };
  return {
    disks,
    says: (...texts: string[]): void => {
      for (const text of texts) log.push(`3,${++sequence},${sequence * 1_000},-;${text}`);
    },
    read: async () => {
      await source.read(host);
      await new Promise((resolve) => setImmediate(resolve)); // it looks who has the names
      const reading = await source.read(host);
      if (reading.state !== "ok" || reading.facts.$case !== "kernelLog") throw new Error("it is not ok");
      return reading.facts.value;
    },
    history: async function (): Promise<string[]> {
      const { diskErrors } = await this.read();
      return diskErrors.map(({ wwid, name, count }: DiskErrors) => `${wwid || "?"} ${name} ${count}`).sort();
    },
  };
}

const error = (name: string): string => `I/O error, dev ${name}, sector 12345 op 0x0:(READ)`;
const plugged = (name: string, address = "0:0:0:0"): string =>
  `sd ${address}: [${name}] 7814037168 512-byte logical blocks: (4.00 TB/3.64 TiB)`;
const DRBD = "drbd resource1: conn( WFReportParams -> Connected ) pdsk( DUnknown -> UpToDate )";

describe("a disk's errors stay with it", () => {
  test("through a flood of other lines, which do not push its own lines out either", async () => {
    const it = node();
    it.disks.set("sda", { wwid: "naa.A", address: "0:0:0:0" });
    it.says(error("sda"), ...Array.from({ length: 400 }, () => DRBD));
    expect(await it.history()).toEqual(["naa.A sda 1"]);
    const { lines } = await it.read();
    expect(lines.map(({ device }) => device).filter((device) => device === "sda")).toHaveLength(1);
    expect(lines).toHaveLength(201);
    it.says(...Array.from({ length: 500 }, () => error("sda")));
    expect(await it.history()).toEqual(["naa.A sda 501"]);
  });

  test("when it drops off the bus and comes back, under the same name or another", async () => {
    for (const back of ["sda", "sdc"]) {
      const it = node();
      it.disks.set("sda", { wwid: "naa.A", address: "0:0:0:0" });
      await it.read();
      it.says(error("sda"), error("0:0:0:0"));
      await it.read();
      it.disks.delete("sda");
      it.says("sd 0:0:0:0: [sda] Synchronizing SCSI cache", error("sda"));
      await it.read();
      it.says(plugged(back));
      it.disks.set(back, { wwid: "naa.A", address: "0:0:0:0" });
      expect(await it.history()).toEqual(["naa.A sda 3"]);
      it.says(error(`${back}1`));
      expect(await it.history(), back).toEqual([`naa.A ${back} 4`]);
    }
  });

  test("and a new disk under its name begins with none", async () => {
    const it = node();
    it.disks.set("sda", { wwid: "naa.A", address: "0:0:0:0" });
    await it.read();
    it.says(error("sda"));
    await it.read();
    it.disks.set("sda", { wwid: "naa.B", address: "0:0:0:0" });
    it.says(error("sda"), plugged("sda"), error("sda"));
    expect(await it.history()).toEqual(["naa.A sda 2", "naa.B sda 1"]);
  });

  test("an NVMe disk's too, of whose plugging no line tells, and by its path", async () => {
    const it = node();
    it.disks.set("nvme0n1", { wwid: "eui.A", address: "" });
    it.says(error("nvme0c0n1"), error("nvme0n1p2"));
    expect(await it.history()).toEqual(["eui.A nvme0n1 2"]);
    it.disks.delete("nvme0n1");
    await it.read();
    it.disks.set("nvme0n1", { wwid: "eui.B", address: "" });
    it.says(error("nvme0n1"));
    expect(await it.history()).toEqual(["eui.A nvme0n1 2", "eui.B nvme0n1 1"]);
  });

  test("but what stands on it has none of its own", async () => {
    const it = node();
    it.says(error("dm-0"), "Buffer I/O error on dev drbd0, logical block 0, async page read");
    expect(await it.history()).toEqual([]);
  });
});

describe("an agent that starts again reads the kernel's log from its beginning", () => {
  test("and counts what is of the disk that has the name now, however long the log is", async () => {
    const it = node();
    it.disks.set("sda", { wwid: "naa.B", address: "0:0:0:0" });
    const filler = Array.from({ length: KERNEL_LOG_RECORDS_MAX }, () => DRBD);
    it.says(plugged("sda"), error("sda"), ...filler, plugged("sda"), error("sda"), error("sda"));
    await it.read();
    expect(await it.history()).toEqual(["naa.B sda 2"]); // the first was another's, or nobody can say
  });
});

test("whatever comes and goes, no error of a disk that was seen is lost or counted to another", async () => {
  const step = fc.record({
    slot: fc.constantFrom("sda", "sdb"),
    disk: fc.constantFrom("naa.A", "naa.B", "naa.C"),
    errors: fc.nat(3),
    noise: fc.constantFrom(0, 250),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const it = node();
      const expected = new Map<string, number>();
      for (const { slot, disk, errors, noise } of steps) {
        if ([...it.disks].some(([name, { wwid }]) => wwid === disk && name !== slot)) continue; // it is in the other slot
        if (it.disks.get(slot)?.wwid !== disk) {
          it.disks.set(slot, { wwid: disk, address: slot === "sda" ? "0:0:0:0" : "1:0:0:0" });
          it.says(plugged(slot, slot === "sda" ? "0:0:0:0" : "1:0:0:0"));
          await it.read();
        }
        it.says(
          ...Array.from({ length: errors }, () => error(slot)),
          ...Array.from({ length: noise }, () => DRBD),
        );
        await it.read();
        if (errors > 0) expected.set(disk, (expected.get(disk) ?? 0) + errors);
      }
      const { diskErrors } = await it.read();
      expect(new Map(diskErrors.map(({ wwid, count }) => [wwid, count]))).toEqual(expected);
    }),
    { numRuns: Math.min(FUZZ_RUNS, 1_000) },
  );
});
