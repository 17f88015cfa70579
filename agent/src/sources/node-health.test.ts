import { SourceState } from "@vigie/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { certificateOf, nodeHealth } from "./node-health.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS, sample, type FakeMachine } from "./testing.js";

const PEM = sample("sources/ganeti/server.pem");
const ENDS = Date.parse("Nov 27 07:20:41 2031 GMT");
const DAY_MS = 86_400_000;
const ROOM = { sizeBytes: 20e9, availableBytes: 12e9, inodes: 1_000_000, inodesFree: 900_000 };

const files = {
  "/var/lib/ganeti/ssconf_master_node": "h1\n",
  "/var/lib/ganeti/server.pem": PEM,
  "/var/run/ganeti/ganeti-noded.pid": "826\n",
  "/proc/826/cmdline": "/usr/bin/python3\0/usr/sbin/ganeti-noded\0",
  "/var/run/ganeti/ganeti-luxid.pid": "1037\n",
  "/proc/1037/cmdline": "/usr/sbin/ganeti-luxid\0",
  "/var/run/ganeti/ganeti-wconfd.pid": "1005\n",
  "/proc/1005/cmdline": "/usr/sbin/ganeti-wconfd\0",
};
const filesystems = { "/": ROOM, "/var/lib/ganeti": ROOM };

async function read(machine: FakeMachine, nodeName = "h1") {
  const reading = await nodeHealth(nodeName).read({
    ...fakeHost(machine),
    wallUnixMs: () => ENDS - 6.5 * DAY_MS,
  });
  if (reading.state !== "ok" || reading.facts.$case !== "nodeHealth") throw new Error(SourceState.FAILED);
  return { ...reading.facts.value, damaged: reading.damaged };
}

test("room, daemons and certificates of the master are read; a folder or file that is not there is none", async () => {
  const { filesystems: rooms, daemons, certificates, damaged } = await read({ files, filesystems });
  expect(damaged).toEqual([]);
  expect(rooms).toEqual([
    { path: "/", ...ROOM },
    { path: "/var/lib/ganeti", ...ROOM },
  ]);
  expect(daemons.map(({ name, running }) => `${name} ${running}`)).toEqual([
    "ganeti-noded true",
    "ganeti-luxid true",
    "ganeti-wconfd true",
  ]);
  expect(certificates).toEqual([
    {
      name: "server.pem",
      sha256:
        "5D:3F:6B:68:B5:C6:23:25:CF:FD:1C:67:E8:28:66:8B:F2:D9:4E:84:AB:E4:1A:A1:87:4F:99:05:AD:EE:1C:5B",
      daysLeft: 6,
    },
  ]);
});

test("on a node that is not master, the master's daemons do not belong; in no cluster none does", async () => {
  expect((await read({ files, filesystems }, "h2")).daemons).toHaveLength(1);
  const { "/var/lib/ganeti/ssconf_master_node": _, ...rest } = files;
  expect((await read({ files: rest, filesystems })).daemons).toEqual([]);
});

test.each([
  ["has no file of its number", { "/var/run/ganeti/ganeti-noded.pid": errno("ENOENT") }],
  ["has no process of that number", { "/proc/826/cmdline": errno("ENOENT") }],
  ["ends while it is read", { "/proc/826/cmdline": errno("ESRCH") }],
  ["gave its number to another program", { "/proc/826/cmdline": "/usr/bin/vi\0ganeti-noded\0" }],
])("a daemon that %s is not running", async (_, change) => {
  const { daemons, damaged } = await read({ files: { ...files, ...change }, filesystems });
  expect(daemons[0]).toEqual({ name: "ganeti-noded", running: false });
  expect(damaged).toEqual([]);
});

test("what cannot be read is damaged by itself, and neither full, dead nor expired", async () => {
  const change = {
    "/var/run/ganeti/ganeti-noded.pid": "no number",
    "/var/lib/ganeti/server.pem": errno("EACCES"),
  };
  const machine = { files: { ...files, ...change }, filesystems: { ...filesystems, "/": errno("EIO") } };
  const { filesystems: rooms, daemons, certificates, damaged } = await read(machine);
  expect(damaged.map(({ object }) => object)).toEqual(["/", "ganeti-noded", "server.pem"]);
  expect([rooms.length, daemons.length, certificates.length]).toEqual([1, 2, 0]);
});

test("no damaged certificate is taken for another one, and none of its key is told", () => {
  fc.assert(
    fc.property(damagedCopies(PEM), (text) => {
      try {
        const { sha256 } = certificateOf("server.pem", text, 0);
        expect(sha256).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
        expect(String(error)).not.toContain("bm8ga2V5");
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
