import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDevice } from "./real-device.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "vigie-sysfs-"));
  makeDisk("sdb", "t10.OLD");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function makeDisk(name: string, wwid: string): void {
  const scsi = join(root, `scsi-${wwid}`);
  mkdirSync(join(root, name));
  mkdirSync(scsi);
  symlinkSync(scsi, join(root, name, "device"));
  for (const [file, text] of [
    ["state", "running\n"],
    ["delete", ""],
    ["wwid", wwid],
  ] as const)
    writeFileSync(join(scsi, file), text);
}

test("what is read and written is the disk that was opened, though another one has its name by now (I14)", async () => {
  const device = await openDevice("sdb", root);
  renameSync(join(root, "sdb"), join(root, "gone"));
  makeDisk("sdb", "t10.NEW");
  expect(await device.read("device/wwid")).toBe("t10.OLD");
  await device.write("state", "offline");
  expect(readFileSync(join(root, "scsi-t10.OLD/state"), "utf8")).toBe("offline\n");
  expect(readFileSync(join(root, "scsi-t10.NEW/state"), "utf8")).toBe("running\n");
  await device.close();
});

test("a disk whose bus has no such file says so, and is written nowhere", async () => {
  rmSync(join(root, "scsi-t10.OLD/delete"));
  const device = await openDevice("sdb", root);
  await expect(device.write("delete", "1")).rejects.toThrow("no device/delete");
  await device.close();
});

test("a name that is a path opens nothing", async () => {
  for (const name of ["", ".", "..", "../sdb", "sdb/device"])
    await expect(openDevice(name, root)).rejects.toThrow("not a device's name");
});
