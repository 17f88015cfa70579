import { describe, expect, test } from "vitest";
import type { DiskPart, DiskStack } from "../disk-stack.js";
import { errno, fakeHost, type FakeMachine } from "../sources/testing.js";
import { contentsOf, usersOf } from "./look-at-content.js";

const PARTS: DiskPart[] = ["sdb", "sdb1"].map((name) => ({ name, dev: "8:16", holders: [] }));
const STACK: DiskStack = { parts: PARTS, devices: [] };

describe("who writes to a disk", () => {
  const machine = (flags: string, comm = "postgres"): FakeMachine => ({
    folders: { "/proc": ["12"], "/proc/12/fd": ["3"], "/sys/block": ["sdb", "loop0"] },
    links: { "/proc/12/fd/3": "/dev/sdb1" },
    files: {
      "/proc/12/fdinfo/3": `pos:\t0\nflags:\t${flags}\nmnt_id:\t25\n`,
      "/proc/12/comm": `${comm}\n`,
      "/proc/12/cmdline": comm,
    },
  });
  const users = async (more: FakeMachine): Promise<unknown> => usersOf(STACK, fakeHost(more));
  const nobody = { users: [], unknownBecause: "" };

  test("is a process that opened it, or a partition, so that it may write", async () => {
    for (const flags of ["0100002", "0100001", "02100002"])
      expect(await users(machine(flags))).toEqual({ ...nobody, users: ["process postgres (12)"] });
  });

  test("is none that reads only, as udev and LVM do, and not smartctl, which hangs at a dying disk", async () => {
    expect(await users(machine("0100000"))).toEqual(nobody);
    expect(await users(machine("0100002", "smartctl"))).toEqual(nobody);
  });

  test("may be one whose flags are not understood (I11)", async () => {
    expect(await users(machine("x"))).toMatchObject({ users: ["process postgres (12)"] });
  });

  test("is a loop that has its data there", async () => {
    const { files, ...rest } = machine("0100000");
    const backing = { "/sys/block/loop0/loop/backing_file": "/dev/sdb1\n" };
    expect(await users({ ...rest, files: { ...files, ...backing } })).toMatchObject({
      users: ["loop loop0"],
    });
  });

  test("is not known where processes, or one of them, cannot be looked at (I11)", async () => {
    const none = fakeHost(machine("0100000"));
    const listFolder = (refused: string) => async (path: string) => {
      if (path === refused) throw errno("EACCES");
      return none.listFolder(path);
    };
    expect((await usersOf(STACK, { ...none, listFolder: listFolder("/proc") })).unknownBecause).not.toBe("");
    expect(
      (await usersOf(STACK, { ...none, listFolder: listFolder("/proc/12/fd") })).unknownBecause,
    ).not.toBe("");
  });
});

test("a disk that cannot be read is asked once, and neither claimed nor asked for its partitions (I37)", async () => {
  const asked: string[] = [];
  const host = fakeHost({
    run: ({ args }) => (asked.push(args.at(-1) ?? ""), { exitCode: 1, stderr: "wipefs: error: read error" }),
    claim: (path) => void asked.push(`claim ${path}`),
  });
  expect(await contentsOf(PARTS, host)).toMatchObject([
    { name: "sdb", signatures: expect.stringContaining("read error") },
    { name: "sdb1", signatures: expect.stringContaining("read error") },
  ]);
  expect(asked).toEqual(["/dev/sdb"]);
});
