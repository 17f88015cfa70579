import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../host.js";
import { parseSmartctl, smart } from "./smart.js";
import { damagedCopies, fakeHost, FUZZ_RUNS } from "./testing.js";

const attribute = (id: number, value: number): object => ({
  id,
  name:
    { 5: "Reallocated_Sector_Ct", 197: "Current_Pending_Sector", 198: "Offline_Uncorrectable" }[id] ?? "x",
  raw: { value, string: String(value) },
});
const ATA = JSON.stringify({
  smart_status: { passed: false },
  ata_smart_attributes: {
    table: [attribute(5, 24), attribute(9, 40_000), attribute(197, 8), attribute(198, 2)],
  },
});
const NVME = JSON.stringify({
  smart_status: { passed: true },
  nvme_smart_health_information_log: { media_errors: 3, critical_warning: 0 },
});
const NONE = JSON.stringify({ smartctl: { exit_status: 4 }, device: { name: "/dev/sda" } });

test("a disk that fails tells its verdict and the three counts of sectors that matter", () => {
  expect(parseSmartctl(ATA, "sdb")).toEqual({
    device: "sdb",
    passed: false,
    reallocatedSectors: 24,
    pendingSectors: 8,
    uncorrectable: 2,
  });
});

test("an NVMe disk tells its media errors, and has no sectors to reallocate", () => {
  expect(parseSmartctl(NVME, "nvme0n1")).toMatchObject({
    passed: true,
    reallocatedSectors: undefined,
    uncorrectable: 3,
  });
});

test("a SCSI or SAS disk tells its uncorrected errors and its grown defects", () => {
  const scsi = JSON.stringify({
    smart_status: { passed: true },
    scsi_grown_defect_list: 260,
    scsi_error_counter_log: {
      read: { total_uncorrected_errors: 1 },
      write: { total_uncorrected_errors: 535 },
    },
  });
  expect(parseSmartctl(scsi, "sdb")).toMatchObject({ passed: true, uncorrectable: 536, grownDefects: 260 });
});

test("a number that this drive uses for something else is not taken for sectors that cannot be read", () => {
  const other = { id: 197, name: "Average_Erase_Count", raw: { value: 812, string: "812" } };
  const report = JSON.stringify({ smart_status: { passed: true }, ata_smart_attributes: { table: [other] } });
  expect(parseSmartctl(report, "sdb")?.pendingSectors).toBeUndefined();
});

test.each([
  "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'",
  "/dev/sda: Unknown USB bridge [0x1234:0x5678 (0x100)]",
])("a volume or a bridge in front of disks has no SMART, and that is no damage: %s", async (string) => {
  const stdout = JSON.stringify({ smartctl: { messages: [{ string, severity: "error" }], exit_status: 2 } });
  const host = fakeHost({ folders: { "/sys/block": ["sda"] }, run: () => ({ exitCode: 2, stdout }) });
  expect(await smart().read(host)).toMatchObject({ facts: { value: { disks: [] } }, damaged: [] });
});

const folders = { "/sys/block": ["sdb", "sda", "nvme0n1", "dm-0", "drbd0", "sdc"] };

test("every disk is asked, one that fails is an answer, and one that cannot be asked is damaged by itself", async () => {
  const asked: string[] = [];
  const run = ({ args }: Command): { exitCode: number; stdout: string } => {
    asked.push(args.at(-1) ?? "");
    if (args.at(-1) === "/dev/sda") return { exitCode: 4, stdout: NONE };
    if (args.at(-1) === "/dev/sdc") return { exitCode: 2, stdout: NONE };
    return args.at(-1) === "/dev/sdb" ? { exitCode: 8 | 64, stdout: ATA } : { exitCode: 0, stdout: NVME };
  };
  expect(await smart().read(fakeHost({ folders, run }))).toMatchObject({
    state: "ok",
    facts: { value: { disks: [{ device: "nvme0n1" }, { device: "sdb", passed: false }] } },
    damaged: [{ object: "sdc", reason: expect.stringContaining("exit 2") }],
  });
  expect(asked).toEqual(["/dev/nvme0n1", "/dev/sda", "/dev/sdb", "/dev/sdc"]);
});

test("a node without smartctl has no such source", async () => {
  const missing = () => ({ end: "not-started" as const, exitCode: -1, stderr: "spawn ENOENT" });
  expect(await smart().read(fakeHost({ folders, run: missing }))).toMatchObject({ state: "absent" });
});

test("a disk on which smartctl hangs is unknown, and hides nothing of the others (I37)", async () => {
  const run = ({ args }: Command) =>
    args.includes("/dev/sda") ? { end: "hung" as const, exitCode: -1 } : { stdout: ATA };
  expect(await smart().read(fakeHost({ folders, run }))).toMatchObject({
    state: "ok",
    facts: { value: { disks: [{ device: "nvme0n1" }, { device: "sdb" }, { device: "sdc" }] } },
    damaged: [{ object: "sda", reason: expect.stringContaining("hangs in the kernel") }],
  });
});

test("whatever happens to a report, it is parsed or refused", () => {
  fc.assert(
    fc.property(damagedCopies([ATA, NVME, NONE]), (text) => {
      try {
        parseSmartctl(text, "sdb");
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
