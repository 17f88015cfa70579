import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guests, parseXlList } from "./guests.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS, type FakeMachine } from "./testing.js";

const KVM = "/var/run/ganeti/kvm-hypervisor/pid";
const FAKE = "/var/run/ganeti/fake-hypervisor";
const qemu = (name: string): string => ["/usr/bin/kvm", "-name", name, "-m", "1024", ""].join("\0");

const machine = (files: Record<string, string | Error>, names: readonly string[]): FakeMachine => ({
  files: Object.fromEntries(Object.entries(files)),
  folders: { [KVM]: names },
});
const read = (it: FakeMachine) => guests.read(fakeHost(it));

test("a guest runs where its pid file's process is the one that was started for it", async () => {
  const files = { [`${KVM}/web1.example`]: "4711\n", "/proc/4711/cmdline": qemu("web1.example") };
  expect(await read(machine(files, ["web1.example"]))).toEqual({
    state: "ok",
    facts: {
      $case: "guests",
      value: { guests: [{ instance: "web1.example", hypervisor: "kvm", pid: 4711 }] },
    },
    damaged: [],
  });
});

test("a guest's name may hold an underscore, as Ganeti allows it", async () => {
  const name = "db_test.example.org";
  const files = { [`${KVM}/${name}`]: "4711\n", "/proc/4711/cmdline": qemu(name) };
  expect(await read(machine(files, [name]))).toMatchObject({
    facts: { value: { guests: [{ instance: name }] } },
    damaged: [],
  });
});

describe("a pid file", () => {
  const pidFile = { [`${KVM}/web1.example`]: "4711\n" };

  test("of a process that ended is of no guest", async () => {
    expect(await read(machine(pidFile, ["web1.example"]))).toMatchObject({
      damaged: [],
      facts: { value: { guests: [] } },
    });
    const zombie = { ...pidFile, "/proc/4711/cmdline": "" };
    expect(await read(machine(zombie, ["web1.example"]))).toMatchObject({ facts: { value: { guests: [] } } });
  });

  test.each([
    ["whose number is another program's now", { ...pidFile, "/proc/4711/cmdline": "/bin/sh\0" }],
    ["whose number is another guest's now", { ...pidFile, "/proc/4711/cmdline": qemu("web10.example") }],
    ["that holds no number", { [`${KVM}/web1.example`]: "x" }],
  ])("%s is damaged, and not nothing (I11)", async (_what, files) => {
    expect(await read(machine(files, ["web1.example"]))).toMatchObject({
      damaged: [{ object: "web1.example" }],
      facts: { value: { guests: [] } },
    });
  });

  test("that cannot be read makes its guest damaged, and its neighbour still counts", async () => {
    const files = {
      [`${KVM}/a.example`]: errno("EIO"),
      [`${KVM}/b.example`]: "12",
      "/proc/12/cmdline": qemu("b.example,debug-threads=on"),
    };
    expect(await read(machine(files, ["a.example", "b.example"]))).toMatchObject({
      damaged: [{ object: "a.example" }],
      facts: { value: { guests: [{ instance: "b.example" }] } },
    });
  });
});

test("the lab's fake hypervisor has a file for each guest", async () => {
  expect(await read({ folders: { [FAKE]: ["web2.example", "web1.example"] } })).toMatchObject({
    facts: { value: { guests: [{ instance: "web1.example", hypervisor: "fake", pid: 0 }, {}] } },
  });
});

test("Xen's host lists its domains, without itself", async () => {
  const list = `Name                                        ID   Mem VCPUs	State	Time(s)
Domain-0                                     0  4096     8     r-----     123.4
web1.example                                 3  1024     1     -b----       5.6
`;
  const run = () => ({ stdout: list });
  expect(await read({ files: { "/proc/xen/capabilities": "control_d\n" }, run })).toMatchObject({
    facts: { value: { guests: [{ instance: "web1.example", hypervisor: "xen" }] } },
  });
  fc.assert(
    fc.property(damagedCopies([list]), (text) => {
      try {
        parseXlList(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});

describe("a node where Ganeti has used no hypervisor since it started", () => {
  const enabled = (list: string) => read({ files: { "/var/lib/ganeti/ssconf_hypervisor_list": list } });

  test("runs no guest of a hypervisor whose traces would be seen", async () => {
    expect(await enabled("kvm\nxen-pvm\n")).toMatchObject({ state: "ok", facts: { value: { guests: [] } } });
  });

  test("does not say so of another one", async () => {
    expect(await enabled("kvm\nlxc\n")).toEqual({
      state: "absent",
      reason: "what runs under lxc is not seen by this agent",
    });
  });
});

test("a node without any hypervisor has no such source", async () => {
  expect(await read({})).toMatchObject({ state: "absent" });
});
