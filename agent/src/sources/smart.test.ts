import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../host.js";
import { parseSmartctl, smart } from "./smart.js";
import { damagedCopies, fakeHost, FUZZ_RUNS } from "./testing.js";

const attribute = (id: number, value: number): object => ({
  id,
  name: "x",
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

test("a node without smartctl has no such source, and one that hangs is not asked again at once (I37)", async () => {
  const missing = () => ({ end: "not-started" as const, exitCode: -1, stderr: "spawn ENOENT" });
  expect(await smart().read(fakeHost({ folders, run: missing }))).toMatchObject({ state: "absent" });
  let runs = 0;
  const hangs = () => ((runs += 1), { end: "hung" as const, exitCode: -1 });
  const source = smart();
  const host = fakeHost({ folders, run: hangs });
  await expect(source.read(host)).rejects.toMatchObject({ code: "COMMAND_HUNG" });
  await expect(source.read(host)).rejects.toMatchObject({ code: "COMMAND_HUNG" });
  expect(runs).toBe(1);
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
