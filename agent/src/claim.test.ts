/** What the kernel says of an exclusive open, on real devices of this machine: loops of files, of our own. */
import { execFileSync } from "node:child_process";
import { constants, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimOf, contentsOf } from "./actions/look-at-content.js";
import { createRealHost } from "./real-host.js";

const MEBIBYTE = 2 ** 20;
const run = (file: string, ...args: string[]): string =>
  execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

function whyNot(): string {
  if (process.getuid?.() !== 0) return "it needs root";
  try {
    run("losetup", "--find");
    run("mkfs.ext4", "-V");
    return "";
  } catch {
    return "it needs losetup and mkfs.ext4, and a free loop device";
  }
}

const obstacle = whyNot();

describe.skipIf(obstacle !== "")(
  `a block device, asked for by the kernel's own word${obstacle && `: ${obstacle}`}`,
  () => {
    const host = createRealHost();
    let folder: string;
    let name: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "vigie-claim-"));
      writeFileSync(join(folder, "image"), "");
      truncateSync(join(folder, "image"), 16 * MEBIBYTE);
      name = run("losetup", "--find", "--show", join(folder, "image")).replace("/dev/", "");
      mkdirSync(join(folder, "mount"));
    });
    afterAll(() => {
      run("losetup", "--detach", `/dev/${name}`);
      rmSync(folder, { recursive: true });
    });

    const content = async () => (await contentsOf([{ name, dev: "", holders: [] }], host))[0];

    test("that is blank is free, and was not changed by the asking", async () => {
      expect(await content()).toEqual({ name, signatures: [], claim: "free" });
      expect(await content()).toEqual({ name, signatures: [], claim: "free" });
    });

    test("that a filesystem is mounted from, or that is swapped to, is in use", async () => {
      run("mkfs.ext4", "-q", `/dev/${name}`);
      expect(await content()).toEqual({ name, signatures: ["ext4 at 0x438"], claim: "free" });
      run("mount", `/dev/${name}`, join(folder, "mount"));
      try {
        expect(await content()).toMatchObject({ claim: "in use" });
      } finally {
        run("umount", join(folder, "mount"));
      }
    });

    test("that a program opened alone is in use, though nothing on it says so, and free when it ends", async () => {
      run("wipefs", "--all", "--quiet", `/dev/${name}`);
      const mine = await open(`/dev/${name}`, constants.O_RDWR | constants.O_EXCL);
      try {
        expect(await content()).toEqual({ name, signatures: [], claim: "in use" });
      } finally {
        await mine.close();
      }
      expect(await claimOf(name, host)).toBe("free");
    });

    test("that is not there is neither (I11)", async () => {
      expect(await claimOf("no-such-device", host)).toMatch(/ENOENT/);
    });
  },
);
