import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isDeviceName,
  parseHexCount,
  parseLabel,
  parseSize,
  parseState,
  parseVpdSerial,
  partitionsIn,
} from "./block-device-attributes.js";
import { blockDevices } from "./block-devices.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS, sample, type FakeMachine } from "./testing.js";

type Files = Record<string, string | Error>;

const SDA: Files = {
  size: "50331648\n",
  dev: "8:0\n",
  removable: "0\n",
  "queue/rotational": "1\n",
  "device/state": "running\n",
  "device/wwid": "t10.Linux   scsi_debug      2000\n",
  "device/vpd_pg80": "\0\uFFFD\0\u00042000",
  "device/model": "scsi_debug      \n",
  "device/ioerr_cnt": "0x1\n",
  "device/iodone_cnt": "0x5e7\n",
};
const DRBD0: Files = { size: "131072\n", dev: "147:0\n", removable: "0\n", "queue/rotational": "0\n" };

interface Sysfs extends FakeMachine {
  readonly files: Files;
  readonly folders: Record<string, string[]>;
  readonly links: Record<string, string>;
}

function sysfs(devices: Record<string, Files>): Sysfs {
  const files: Files = {};
  const folders: Record<string, string[]> = { "/sys/block": Object.keys(devices) };
  const links: Record<string, string> = {};
  for (const [name, attributes] of Object.entries(devices)) {
    for (const [path, text] of Object.entries(attributes)) files[`/sys/block/${name}/${path}`] = text;
    folders[`/sys/block/${name}`] = ["size", "dev", `${name}1`, `${name}x`, "holders"];
    folders[`/sys/block/${name}/holders`] = name === "sda" ? ["dm-1", "dm-0"] : [];
    if (attributes["device/state"] !== undefined) links[`/sys/block/${name}/device`] = "../../../0:0:0:0";
  }
  return { files, folders, links };
}

async function read(devices: Record<string, Files>): Promise<unknown> {
  return blockDevices().read(fakeHost(sysfs(devices)));
}

describe("a device", () => {
  test("that is a SCSI disk has a state, an identity and error counts", async () => {
    expect(await read({ sda: SDA })).toEqual({
      state: "ok",
      damaged: [],
      facts: {
        $case: "blockDevices",
        value: {
          devices: [
            {
              name: "sda",
              dev: "8:0",
              sizeBytes: 25_769_803_776,
              state: "running",
              wwid: "t10.Linux   scsi_debug      2000",
              serial: "2000",
              model: "scsi_debug",
              scsiAddress: "0:0:0:0",
              holders: ["dm-0", "dm-1"],
              partitions: ["sda1"],
              rotational: true,
              removable: false,
              ioErrors: 1,
              ioDone: 0x5e7,
            },
          ],
        },
      },
    });
  });

  test("that is virtual has none of them, and that is no damage", async () => {
    expect(await read({ drbd0: DRBD0 })).toMatchObject({
      damaged: [],
      facts: { value: { devices: [{ name: "drbd0", state: "", wwid: "", scsiAddress: "" }] } },
    });
  });

  test("that is memory, or an unused loop, is none", async () => {
    const reading = await read({ ram0: DRBD0, zram1: DRBD0, loop0: { ...DRBD0, size: "0\n" }, loop1: DRBD0 });
    expect(reading).toMatchObject({ facts: { value: { devices: [{ name: "loop1" }] } } });
  });

  test("that went away between the listing and the reading is not there", async () => {
    const machine = sysfs({ sda: SDA, sdb: SDA });
    machine.files["/sys/block/sdb/size"] = errno("ENODEV");
    const reading = await blockDevices().read(fakeHost(machine));
    expect(reading).toMatchObject({ damaged: [], facts: { value: { devices: [{ name: "sda" }] } } });
  });

  test.each(["running", "offline", "transport-offline", "created-blocked"])("may be %s", async (state) => {
    const reading = await read({ sda: { ...SDA, "device/state": state } }); // without its line end
    expect(reading).toMatchObject({ facts: { value: { devices: [{ state }] } } });
  });

  test.each([
    ["device/state", "", "the state is not a word"],
    ["device/state", errno("EIO"), "/sys/block/sda/device/state could not be read: EIO"],
    ["size", "big\n", "the size is not a number"],
    ["dev", "8\n", "dev is not major:minor"],
  ])("whose %s is %j is unknown, and its neighbour is not", async (path, text, reason) => {
    expect(await read({ sda: { ...SDA, [path]: text }, sdb: SDA })).toMatchObject({
      damaged: [{ object: "sda", reason }],
      facts: { value: { devices: [{ name: "sdb" }] } },
    });
  });

  test.each([
    ["device/wwid", errno("EIO")],
    ["device/ioerr_cnt", "1\n"],
    ["device/vpd_pg80", "\0\uFFFD\0\u000820"],
  ])("whose %s cannot be told keeps its state, and is damaged", async (path, text) => {
    expect(await read({ sda: { ...SDA, [path]: text } })).toMatchObject({
      damaged: [{ object: "sda" }],
      facts: { value: { devices: [{ name: "sda", state: "running" }] } },
    });
  });

  test("whose name is no device name is not looked at", async () => {
    expect(await read({ "..": DRBD0 })).toMatchObject({ damaged: [{ object: ".." }] });
    expect(["sda", "cciss!c0d0", "dm-12", "nvme0n1"].filter(isDeviceName)).toHaveLength(4);
    expect(["..", "a/b", "", "-x", "a..b"].filter(isDeviceName)).toEqual([]);
  });
});

describe("from one second to the next", () => {
  test("a disk that goes offline is seen at once, and only what may change is read", async () => {
    const machine = sysfs({ sda: SDA, drbd0: DRBD0 });
    const host = fakeHost(machine);
    const paths: string[] = [];
    const spying = {
      ...host,
      readFile: (path: string) => {
        paths.push(path);
        return host.readFile(path);
      },
    };
    const source = blockDevices();
    await source.read(spying);
    machine.files["/sys/block/sda/device/state"] = "offline\n";
    machine.files["/sys/block/sda/device/ioerr_cnt"] = "0x9\n";
    paths.length = 0;
    const reading = await source.read(spying);
    expect(reading).toMatchObject({
      facts: { value: { devices: [{}, { name: "sda", state: "offline", ioErrors: 9 }] } },
    });
    expect(paths).toEqual(
      ["device/wwid", "size", "device/state", "device/ioerr_cnt"].map((file) => `/sys/block/sda/${file}`),
    );
  });

  test("another disk under the same name is read as a whole", async () => {
    const machine = sysfs({ sda: SDA });
    const source = blockDevices();
    await source.read(fakeHost(machine));
    machine.links["/sys/block/sda/device"] = "../../../3:0:0:0";
    machine.files["/sys/block/sda/device/vpd_pg80"] = "\0\uFFFD\0\u00049999";
    expect(await source.read(fakeHost(machine))).toMatchObject({
      facts: { value: { devices: [{ scsiAddress: "3:0:0:0", serial: "9999" }] } },
    });
  });

  test.each<[string, Files]>([
    ["diskseq", { diskseq: "12\n" }],
    ["wwid", { "device/wwid": "naa.NEW\n" }],
    ["size", { size: "9000\n" }],
  ])(
    "another disk in the same place, as its %s says, is shown with its own identity at once",
    async (_what, more) => {
      const machine = sysfs({ sda: { ...SDA, diskseq: "9\n" } });
      const source = blockDevices();
      await source.read(fakeHost(machine));
      Object.assign(
        machine.files,
        sysfs({ sda: { ...SDA, "device/vpd_pg80": "\0\uFFFD\0\u00049999", ...more } }).files,
      );
      expect(await source.read(fakeHost(machine))).toMatchObject({
        facts: { value: { devices: [{ serial: "9999" }] } },
      });
    },
  );

  test("a disk whose wwid cannot be read any more is damaged at once, and not the one that it was", async () => {
    const machine = sysfs({ sda: SDA });
    const source = blockDevices();
    await source.read(fakeHost(machine));
    machine.files["/sys/block/sda/device/wwid"] = errno("EIO");
    expect(await source.read(fakeHost(machine))).toMatchObject({
      damaged: [{ object: "sda" }],
      facts: { value: { devices: [{ name: "sda", wwid: "" }] } },
    });
  });

  test("everything is read again after half a minute", async () => {
    const machine = sysfs({ drbd0: DRBD0 });
    const source = blockDevices();
    await source.read({ ...fakeHost(machine), monotonicMs: () => 1_000 });
    machine.folders["/sys/block/drbd0/holders"] = ["dm-2"];
    const at = async (nowMs: number): Promise<unknown> =>
      source.read({ ...fakeHost(machine), monotonicMs: () => nowMs });
    expect(await at(30_999)).toMatchObject({ facts: { value: { devices: [{ holders: [] }] } } });
    expect(await at(31_000)).toMatchObject({ facts: { value: { devices: [{ holders: ["dm-2"] }] } } });
  });
});

describe("attributes", () => {
  test("sda1 is a partition of sda, and sdaa1 is not", () => {
    expect(partitionsIn("sda", ["sda1", "sda12", "sdaa1", "sdap", "size"])).toEqual(["sda1", "sda12"]);
    expect(partitionsIn("nvme0n1", ["nvme0n1p1", "nvme0n10"])).toEqual(["nvme0n10", "nvme0n1p1"]);
  });

  test("a serial is what its page says, without its padding", () => {
    expect(parseVpdSerial("\0\uFFFD\0\u0008  AB12\0\0")).toBe("AB12");
    expect(parseVpdSerial("\0\uFFFD\0\0")).toBe("");
    expect(() => parseVpdSerial("\0")).toThrow("the serial page is cut");
  });

  test("a real disk's texts are understood", () => {
    const lab = new Map(
      sample("lab/sysfs_sda.txt")
        .split(/^== /m)
        .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
    );
    expect(parseSize(lab.get("size") ?? "")).toBe(24 * 2 ** 30);
    expect(parseState(lab.get("device/state") ?? "")).toBe("running");
    expect(parseLabel(lab.get("device/wwid") ?? "")).toBe("t10.Linux   scsi_debug      2000");
    expect(parseHexCount(lab.get("device/iodone_cnt") ?? "")).toBe(1511);
  });

  test("whatever a file holds, the reading ends, and a device is known or damaged", async () => {
    const texts = Object.values(SDA).filter((text) => typeof text === "string");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(SDA)), damagedCopies(texts), async (path, text) => {
        const reading = await blockDevices().read(fakeHost(sysfs({ sda: { ...SDA, [path]: text } })));
        if (reading.state !== "ok" || reading.facts.$case !== "blockDevices") throw new Error("it is not ok");
        expect(reading.facts.value.devices.length + reading.damaged.length).toBeGreaterThan(0);
        for (const { state } of reading.facts.value.devices) expect(state).toMatch(/^[a-z-]*$/);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
