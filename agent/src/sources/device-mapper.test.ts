import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deviceMapper, parseDmsetup } from "./device-mapper.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

const INFO = `kvmvg-1f2e.disk0_data|LVM-DjbOBZy3dHFjCb3CnVztR2Qvb5oePaS950bmP6JrcKJQqt338Z1BJ2BPWEw6Ea4E|254|0|1|Active
drbd0p1|part1-devnode_147:0_Wh5pYvM|254|2|0|Active
mpatha1|part1-mpath-3600508b4000156d7|254|4|0|Active
my\\x20disk||254|5|-1|Suspended
`;
const TABLE = `kvmvg-1f2e.disk0_data: 0 65536 linear 8:0 2048
kvmvg-1f2e.disk0_data: 65536 65536 linear 8:16 2048
drbd0p1: 0 129024 linear 147:0 2048
mpatha1: 0 129024 linear 254:3 2048
my\\x20disk: 0 8192 error
`;

test("a volume on two disks depends on both, once each, with a target a line", () => {
  const { devices, damaged } = parseDmsetup(INFO, TABLE);
  expect(damaged).toEqual([]);
  expect(devices[0]).toEqual({
    name: "kvmvg-1f2e.disk0_data",
    uuid: "LVM-DjbOBZy3dHFjCb3CnVztR2Qvb5oePaS950bmP6JrcKJQqt338Z1BJ2BPWEw6Ea4E",
    major: 254,
    minor: 0,
    openCount: 1,
    suspended: false,
    dependsOn: ["8:0", "8:16"],
    targets: ["linear", "linear"],
    kpartxOf: "",
  });
});

test("a partition map tells which device kpartx mapped, from its UUID or its table", () => {
  expect(
    parseDmsetup(INFO, TABLE)
      .devices.slice(1, 3)
      .map(({ kpartxOf }) => kpartxOf),
  ).toEqual(["147:0", "254:3"]);
});

test("a suspended device, an unknown open count and a mangled name are given as they are", () => {
  expect(parseDmsetup(INFO, TABLE).devices[3]).toMatchObject({
    name: "my\\x20disk",
    suspended: true,
    openCount: -1,
    targets: ["error"],
    dependsOn: [],
  });
});

test("no devices is an answer, and so is a device without a table", () => {
  expect(parseDmsetup("No devices found\n", "No devices found\n")).toEqual({ devices: [], damaged: [] });
  expect(parseDmsetup("x||254|9|0|Active\n", "x: \n").devices).toMatchObject([{ targets: [] }]);
});

test.each([
  ["|254|0|1|", "|254|0|many|", 'open is not a number: "many"'],
  ["|254|0|1|", "|254|0|", "5 fields, not 6"],
  ["|1|Active", "|1|Live", 'neither active nor suspended: "Live"'],
])("%s printed as %s damages that device only", (from, to, reason) => {
  const { devices, damaged } = parseDmsetup(INFO.replace(from, to), TABLE);
  expect(damaged).toEqual([{ line: 1, reason, minor: undefined, object: "kvmvg-1f2e.disk0_data" }]);
  expect(devices).toHaveLength(3);
});

test("a table that is not understood makes its device unknown", () => {
  const { devices, damaged } = parseDmsetup(INFO, TABLE.replace("0 129024 linear 147:0", "0 x linear 147:0"));
  expect(devices.map(({ name }) => name)).not.toContain("drbd0p1");
  expect(damaged).toMatchObject([{ line: 3, object: "drbd0p1" }]);
});

test("a real node's devices are understood", () => {
  const info = sample("lab/dmsetup_info_c.txt").replace(/\|\d+$/gm, "");
  const { devices, damaged } = parseDmsetup(info, sample("lab/dmsetup_table.txt"));
  expect(damaged).toEqual([]);
  expect(devices).toMatchObject([
    { minor: 0, dependsOn: ["8:0"] },
    { minor: 1, openCount: 1 },
  ]);
});

test("the reading asks both, and no tool is no device-mapper", async () => {
  const host = fakeHost({ run: ({ args }) => ({ stdout: args[0] === "info" ? INFO : TABLE }) });
  expect(await deviceMapper().read(host)).toMatchObject({ facts: { value: { devices: [{}, {}, {}, {}] } } });
  const missing = { end: "not-started" as const, exitCode: -1, stderr: "spawn /usr/sbin/dmsetup ENOENT" };
  expect(await deviceMapper().read(fakeHost({ run: () => missing }))).toMatchObject({ state: "absent" });
});

test("whatever happens to the texts, they never throw, and a damaged device is not known", () => {
  fc.assert(
    fc.property(damagedCopies([INFO]), damagedCopies([TABLE]), (info, table) => {
      const { devices } = parseDmsetup(info, TABLE);
      for (const { major, minor } of devices) expect(major + minor).toBeGreaterThanOrEqual(0);
      parseDmsetup(INFO, table);
    }),
    { numRuns: FUZZ_RUNS },
  );
});
