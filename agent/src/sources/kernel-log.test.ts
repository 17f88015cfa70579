import { KernelLogKind } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kernelLogSource, parseRecords } from "./kernel-log.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

const { IO_ERROR, DRBD_STATE, HUNG_TASK } = KernelLogKind;

function record(text: string, prefix = 6): string {
  return `${prefix},1234,5678901,-;${text}\n SUBSYSTEM=block\n DEVICE=b8:0\n`;
}

describe("what matters", () => {
  test.each([
    ["blk_update_request: I/O error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x0", IO_ERROR, "sda"],
    ["I/O error, dev dm-3, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2", IO_ERROR, "dm-3"],
    ["critical medium error, dev sdb, sector 1024", IO_ERROR, "sdb"],
    ["Buffer I/O error on dev drbd0, logical block 0, async page read", IO_ERROR, "drbd0"],
    ["sd 0:0:0:0: [sda] rejecting I/O to offline device", IO_ERROR, "sda"],
    ["sd 0:0:0:0: rejecting I/O to offline device", IO_ERROR, "0:0:0:0"],
    ["sd 0:0:0:0: [sda] tag#12 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK", IO_ERROR, "sda"],
    ["nvme nvme2: I/O 0 QID 0 timeout, reset controller", IO_ERROR, "nvme2"],
    ["nvme nvme2: Removing after probe failure status: -19", IO_ERROR, "nvme2"],
    ["I/O error, dev nvme0c0n1, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1", IO_ERROR, "nvme0n1"],
    ["block drbd1: IO ERROR: neither local nor remote disk", DRBD_STATE, "drbd1"],
    ["nvme0n1: I/O Cmd(0x2) @ LBA 0, 8 blocks, I/O Error (sct 0x2 / sc 0x81)", IO_ERROR, "nvme0n1"],
    ["block drbd0: conn( SyncSource -> Connected ) pdsk( Inconsistent -> UpToDate ) ", DRBD_STATE, "drbd0"],
    [
      "drbd resource0: peer( Secondary -> Unknown ) conn( SyncSource -> NetworkFailure ) ",
      DRBD_STATE,
      "resource0",
    ],
    ["drbd resource0/0 drbd7: disk( UpToDate -> Failed ) [local]", DRBD_STATE, "drbd7"],
    ["drbd resource0 h2: conn( Connected -> TearDown )", DRBD_STATE, "resource0"],
    ["d-con resource3: conn( WFConnection -> WFReportParams ) ", DRBD_STATE, "resource3"],
    ["block drbd0: Split-Brain detected but unresolved, dropping connection!", DRBD_STATE, "drbd0"],
    ["block drbd1: Local IO failed in __req_mod. Detaching...", DRBD_STATE, "drbd1"],
    ["drbd resource0: PingAck did not arrive in time.", DRBD_STATE, "resource0"],
    ["INFO: task drbdsetup-84:1737 blocked for more than 120 seconds.", HUNG_TASK, ""],
  ])("%s", (text, kind, device) => {
    expect(parseRecords([record(text)])).toMatchObject({
      lines: [{ sequence: 1234, sinceBootUs: 5678901, kind, text, device }],
      damaged: [],
    });
  });

  test.each([
    "block drbd0: helper command: /bin/true before-resync-source minor-0",
    "sd 0:0:0:0: [sda] Write Protect is off",
    "EXT4-fs (dm-1): mounted filesystem",
    "nvme nvme0: I/O 12 QID 3 timeout, completion polled",
    "critical target error, dev sda, sector 40 op 0x3:(DISCARD) flags 0x800 phys_seg 1 prio class 2",
    "",
  ])("is not %j", (text) => {
    expect(parseRecords([record(text)])).toMatchObject({ lines: [], damaged: [] });
  });

  test("a discard that the disk does not know is no error of the disk, and what fails beside it is", () => {
    const of = (tag: number, rest: string): string => record(`sd 0:0:0:0: [sda] tag#${tag} ${rest}`);
    const failed = "FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s";
    const { lines, records } = parseRecords([
      of(0, failed),
      of(1, failed),
      of(0, "Sense Key : Illegal Request [current] "),
      of(1, "Sense Key : Medium Error [current] "),
    ]);
    expect(lines.map(({ text }) => text)).toEqual([
      `sd 0:0:0:0: [sda] tag#1 ${failed}`,
      "sd 0:0:0:0: [sda] tag#1 Sense Key : Medium Error [current] ",
    ]);
    expect(records.filter(({ diskError }) => diskError !== undefined)).toHaveLength(2);
  });

  test("a command that is not known takes back no failure of long before", () => {
    const at = (sinceBootUs: number, rest: string): string =>
      `6,1234,${sinceBootUs},-;sd 0:0:0:0: [sda] tag#0 ${rest}\n`;
    const failed = at(1_000_000, "FAILED Result: hostbyte=DID_ERROR driverbyte=DRIVER_OK");
    const unknown = at(9_000_000, "Sense Key : Illegal Request [current] ");
    expect(parseRecords([failed, unknown]).lines).toHaveLength(1);
  });

  test("of a disk, is what came since it was plugged in: a new one may have the name of the one that failed", () => {
    const devices = (texts: readonly string[]): string[] =>
      parseRecords(texts.map((text) => record(text))).lines.map(({ device }) => device);
    const errors = ["sda", "sda1", "sdab", "0:0:0:0"].map((name) => `I/O error, dev ${name}, sector 2048`);
    const plugged = "sd 1:0:1:0: [sda] 50331648 512-byte logical blocks: (25.8 GB/24.0 GiB)";
    expect(devices([...errors, plugged])).toEqual(["sdab", "0:0:0:0"]);
    expect(devices([...errors, plugged, "I/O error, dev sda, sector 0"])).toEqual(["sdab", "0:0:0:0", "sda"]);
    const again = plugged.replace("1:0:1:0", "0:0:0:0");
    expect(devices([...errors, again])).toEqual(["sdab"]);
  });

  test("is not what a program wrote there", () => {
    expect(parseRecords([record("I/O error, dev sda, sector 0", 12)]).lines).toEqual([]);
  });

  test("is found in a real resync that was cut", () => {
    const records = sample("lab/dmesg_cut_primary.txt")
      .split("\n")
      .flatMap((line) => /^\[\s*\d+\.\d+\] (.*)$/.exec(line)?.[1] ?? [])
      .map((text) => record(text));
    const { lines, damaged } = parseRecords(records);
    expect(damaged).toEqual([]);
    expect(lines.map(({ text }) => text)).toContain("drbd resource0: PingAck did not arrive in time.");
    expect(new Set(lines.map(({ device }) => device))).toEqual(new Set(["drbd0", "resource0"]));
    expect(lines.at(-1)?.text).toContain("conn( SyncSource -> Connected )");
  });
});

test("a long text is cut at 500 bytes, and not within a character", () => {
  const [line] = parseRecords([record(`I/O error, dev sda, sector ${"é".repeat(600)}`)]).lines;
  expect(Buffer.byteLength(line?.text ?? "")).toBe(499);
  expect(line?.text).not.toContain("\uFFFD");
});

test("a text that is no record is damaged, and the next one is not", () => {
  const { lines, damaged } = parseRecords(["6,12", record("I/O error, dev sda, sector 0")]);
  expect(lines).toHaveLength(1);
  expect(damaged).toMatchObject([{ line: 1, reason: 'not a record: "6,12"' }]);
});

describe("the reading", () => {
  test("keeps the newest 200 lines, from one reading to the next", async () => {
    let sequence = 0;
    const kernelLog = (): string[] =>
      Array.from({ length: 150 }, () => `3,${++sequence},1,-;I/O error, dev sda, sector 0\n`);
    const source = kernelLogSource();
    const host = fakeHost({ kernelLog });
    await source.read(host);
    const reading = await source.read(host);
    if (reading.state !== "ok" || reading.facts.$case !== "kernelLog") throw new Error("it is not ok");
    expect(reading.facts.value.lines.map((line) => line.sequence)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 101),
    );
  });

  test("is absent without the device, and failed where it may not be read", async () => {
    const rejecting = (code: string): ReturnType<ReturnType<typeof kernelLogSource>["read"]> =>
      kernelLogSource().read({ ...fakeHost({}), newKernelLogRecords: () => Promise.reject(errno(code)) });
    expect(await rejecting("ENOENT")).toMatchObject({ state: "absent" });
    await expect(rejecting("EPERM")).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });
});

test("whatever happens to a record, it is parsed, ignored or damaged, at once", () => {
  const samples = [
    record("block drbd0: conn( A -> B ) disk( C -> D ) "),
    record("I/O error, dev sda, sector 1"),
  ];
  fc.assert(
    fc.property(damagedCopies(samples), (text) => {
      for (const line of parseRecords([text]).lines) expect(Number.isSafeInteger(line.sequence)).toBe(true);
    }),
    { numRuns: FUZZ_RUNS },
  );
});
