import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command, CommandOutcome } from "../host.js";
import { parseLvmReport } from "./lvm-report.js";
import { logicalVolumes, physicalVolumes, volumeGroups } from "./lvm-volumes.js";
import { lvm } from "./lvm.js";
import type { Reading } from "./source.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

const VG_UUID = "DjbOBZ-y3dH-FjCb-3CnV-ztR2-Qvb5-oePaS9";
const DATA = {
  vg_name: "kvmvg",
  lv_name: "1f2e.disk0_data",
  lv_uuid: "50bmP6-JrcK-JQqt-338Z-1BJ2-BPWE-w6Ea4E",
  lv_attr: "-wi-ao----",
  lv_size: "67108864",
  lv_tags: "originstname+web1.example,a=b/c:d!e&f#g",
  segtype: "linear",
  seg_size: "33554432",
  devices: "/dev/sda(0)",
};
const DATA_TAIL = { ...DATA, devices: "[unknown](8)" };
const META = {
  ...DATA,
  lv_name: "1f2e.disk0_meta",
  lv_uuid: "0RchhA-1fMG-T50k-eaXV-AXvi-1DZM-ctzcTB",
  lv_tags: "",
};
const VG = {
  vg_name: "kvmvg",
  vg_uuid: VG_UUID,
  vg_attr: "wz-pn-",
  vg_size: "25765609472",
  vg_free: "25564282880",
  pv_count: "2",
  vg_missing_pv_count: "1",
};
const PV = {
  pv_name: "/dev/sda",
  pv_uuid: "WGqFKb-LEz9-aiO3-EBLi-QYta-NOGD-rvtZXk",
  vg_name: "kvmvg",
  pv_attr: "a--",
  pv_size: "25765609472",
  pv_free: "25564282880",
};
const MISSING_PV = { ...PV, pv_name: "[unknown]", pv_uuid: "", pv_attr: "a-m", pv_size: "", pv_free: "" };

function report(kind: string, ...rows: object[]): string {
  return JSON.stringify({ report: [{ [kind]: rows }] }, null, 2);
}

const OUTPUTS: Readonly<Record<string, string>> = {
  "/usr/sbin/lvs": report("lv", DATA, META, DATA_TAIL),
  "/usr/sbin/vgs": report("vg", VG),
  "/usr/sbin/pvs": report("pv", PV, MISSING_PV),
};

function read(more: (command: Command) => Partial<CommandOutcome> = () => ({})): Promise<Reading> {
  const run = (command: Command): Partial<CommandOutcome> => ({
    stdout: OUTPUTS[command.file] ?? "",
    ...more(command),
  });
  return lvm().read(fakeHost({ run }));
}

function rowsOf(kind: string, ...rows: object[]): ReturnType<typeof parseLvmReport>["rows"] {
  return parseLvmReport(report(kind, ...rows), kind).rows;
}

describe("logical volumes", () => {
  test("a snapshot names its origin, which may be hidden, and an old report names none", () => {
    const originOf = (row: object): string | undefined =>
      logicalVolumes([{ ...META, ...row }]).items[0]?.origin;
    expect(originOf({ origin: "1f2e.disk0_data" })).toBe("1f2e.disk0_data");
    expect(originOf({ origin: "[lvol0_pmspare]" })).toBe("lvol0_pmspare");
    expect(originOf({})).toBe("");
    expect(logicalVolumes([{ ...META, origin: "a b" }]).damaged).toHaveLength(1);
  });

  test("a volume of two segments is one volume, and a missing disk shows in it", () => {
    const { items, damaged } = logicalVolumes(rowsOf("lv", DATA, META, DATA_TAIL));
    expect(damaged).toEqual([]);
    expect(items).toHaveLength(2);
    expect(items[0]).toEqual({
      origin: "",
      vgName: "kvmvg",
      lvName: "1f2e.disk0_data",
      uuid: "50bmP6-JrcK-JQqt-338Z-1BJ2-BPWE-w6Ea4E",
      attr: "-wi-ao----",
      sizeBytes: 67108864,
      tags: ["originstname+web1.example", "a=b/c:d!e&f#g"],
      segments: [
        { type: "linear", sizeBytes: 33554432, devices: ["/dev/sda(0)"] },
        { type: "linear", sizeBytes: 33554432, devices: ["[unknown](8)"] },
      ],
    });
  });

  test("a hidden volume is named without its brackets, and an old attr is short", () => {
    const leg = {
      ...DATA,
      lv_name: "[web1_mimage_0]",
      lv_attr: "iwi-ao",
      devices: "/dev/sda(0),/dev/sdb(0)",
    };
    expect(logicalVolumes(rowsOf("lv", leg)).items).toMatchObject([
      { lvName: "web1_mimage_0", attr: "iwi-ao", segments: [{ devices: ["/dev/sda(0)", "/dev/sdb(0)"] }] },
    ]);
  });

  test.each([
    ["lv_size", "64.00m", 'lv_size is not a number: "64.00m"'],
    ["lv_size", "", 'lv_size is not a number: ""'],
    ["lv_size", "<1.00t", 'lv_size is not a number: "<1.00t"'],
    ["lv_uuid", "", 'lv_uuid is not understood: ""'],
    ["lv_attr", "-w", 'lv_attr is not understood: "-w"'],
    ["lv_name", "../x", "the name is not one of a volume"],
    ["seg_size", null, '"seg_size" is not a string'],
  ])("whose %s is %j is unknown as a whole, and its neighbour is not", (field, value, reason) => {
    const { items, damaged } = logicalVolumes(rowsOf("lv", DATA, META, { ...DATA_TAIL, [field]: value }));
    expect(items.map(({ lvName }) => lvName)).toContain("1f2e.disk0_meta");
    expect(damaged).toMatchObject([{ reason }]);
    if (field !== "lv_name") expect(items).toHaveLength(1);
  });

  test("two volumes of one name, in two groups of one name, are neither", () => {
    const other = { ...DATA, lv_uuid: "99bmP6-JrcK-JQqt-338Z-1BJ2-BPWE-w6Ea4E" };
    const { items, damaged } = logicalVolumes(rowsOf("lv", DATA, other, META));
    expect(items.map(({ lvName }) => lvName)).toEqual(["1f2e.disk0_meta"]);
    expect(damaged).toMatchObject([
      { object: "kvmvg/1f2e.disk0_data", reason: "there are two of that name" },
    ]);
  });
});

describe("groups and physical volumes", () => {
  test("a group says how many of its disks are missing", () => {
    expect(volumeGroups(rowsOf("vg", VG)).items).toMatchObject([
      { attr: "wz-pn-", missingPvCount: 1, pvCount: 2 },
    ]);
  });

  test("two groups of one name are neither", () => {
    const other = { ...VG, vg_uuid: VG_UUID.replace("D", "E") };
    expect(volumeGroups(rowsOf("vg", VG, other))).toMatchObject({
      items: [],
      damaged: [{ object: "kvmvg" }],
    });
  });

  test("a missing disk keeps its row, under either spelling", () => {
    const old = { ...MISSING_PV, pv_name: "unknown device" };
    const { items, damaged } = physicalVolumes(rowsOf("pv", PV, MISSING_PV, old));
    expect(damaged).toEqual([]);
    expect(items.map(({ pvName }) => pvName)).toEqual(["/dev/sda", "[unknown]", "[unknown]"]);
  });

  test("one UUID on two disks damages both", () => {
    const { items, damaged } = physicalVolumes(rowsOf("pv", PV, { ...PV, pv_name: "/dev/sdb" }));
    expect(items).toHaveLength(2);
    expect(damaged.map(({ object }) => object)).toEqual(["/dev/sda", "/dev/sdb"]);
  });

  test("a disk in no group is there", () => {
    expect(physicalVolumes(rowsOf("pv", { ...PV, vg_name: "", pv_attr: "---" })).items).toMatchObject([
      { vgName: "" },
    ]);
  });
});

describe("a report", () => {
  test("may have warnings before and behind it, a log beside it, and several parts", () => {
    const json = JSON.stringify({
      report: [{ lv: [DATA] }, { lv: [META] }],
      log: [
        { log_type: "status", log_message: "success" },
        { log_type: "error", log_message: "Couldn't find device." },
      ],
    });
    const { rows, warnings } = parseLvmReport(`  WARNING: {odd}\n ${json}\n  WARNING: after\n`, "lv");
    expect(rows).toHaveLength(2);
    expect(warnings).toEqual(["WARNING: {odd}", "WARNING: after", "Couldn't find device."]);
  });

  test.each(["", "WARNING: no report", '{"report": [', "{}", '{"report": [{"pv": []}]}', '{"report": {}}'])(
    "is not %j",
    (text) => {
      expect(() => parseLvmReport(text, "lv")).toThrow(expect.objectContaining({ code: "PARSE_FAILED" }));
    },
  );

  test("without rows is a machine without volumes", () => {
    expect(parseLvmReport('{"report":[{"lv":[]}]}', "lv").rows).toEqual([]);
  });
});

describe("the reading", () => {
  test("joins the three tools' reports and what they warned of", async () => {
    const reading = await read(() => ({ stderr: "  WARNING: Couldn't find device with uuid X.\n" }));
    expect(reading).toMatchObject({
      state: "ok",
      damaged: [],
      facts: {
        value: {
          logicalVolumes: [{}, {}],
          volumeGroups: [{}],
          physicalVolumes: [{}, {}],
          warnings: ["WARNING: Couldn't find device with uuid X."],
        },
      },
    });
  });

  test("exit code 5 is not all there is: what is missing then is not gone", async () => {
    const reading = await read(({ file }) =>
      file.endsWith("lvs") ? { exitCode: 5, stderr: "  Cannot process volume group x\n" } : {},
    );
    expect(reading).toMatchObject({
      state: "ok",
      damaged: [{ reason: expect.stringContaining("exited with 5") }],
    });
  });

  test("any other exit code is a failure, and no tool is no LVM", async () => {
    await expect(read(() => ({ exitCode: 3 }))).rejects.toMatchObject({ code: "COMMAND_FAILED" });
    const missing = { end: "not-started" as const, exitCode: -1, stderr: "spawn /usr/sbin/lvs ENOENT" };
    expect(await read(() => missing)).toMatchObject({ state: "absent" });
  });
});

test("the reports of a real node are understood", () => {
  const [vg, pv] = [
    volumeGroups(parseLvmReport(sample("lab/vgs.json"), "vg").rows),
    physicalVolumes(parseLvmReport(sample("lab/pvs.json"), "pv").rows),
  ];
  expect([vg.damaged, pv.damaged]).toEqual([[], []]);
  expect(vg.items).toMatchObject([{ vgName: "kvmvg", sizeBytes: 25765609472, missingPvCount: 0 }]);
  const lv = parseLvmReport(sample("lab/lvs.json"), "lv").rows.map((row) => ({
    segtype: "linear",
    seg_size: "1",
    ...row,
  }));
  expect(logicalVolumes(lv)).toMatchObject({
    items: [{ tags: ["originstname+web1.lab.example"] }, {}],
    damaged: [],
  });
});

test("whatever happens to a report, it is parsed or refused, and a volume has its name", () => {
  fc.assert(
    fc.property(damagedCopies(Object.values(OUTPUTS)), fc.constantFrom("lv", "vg", "pv"), (text, kind) => {
      try {
        const { rows } = parseLvmReport(text, kind);
        for (const { vgName, lvName } of logicalVolumes(rows).items)
          expect(`${vgName}/${lvName}`).toMatch(/^[\w.+/-]+$/);
        volumeGroups(rows);
        physicalVolumes(rows);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
