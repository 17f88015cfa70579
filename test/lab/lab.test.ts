/**
 * The lab itself, on a real kernel: what the other lab tests stand on. The troubles that matter most to the
 * main job are proven to be what they claim; the others are only made and taken back.
 */
import { beforeAll, describe, expect, test } from "vitest";
import {
  bringHome,
  contentHash,
  ensureInstance,
  labObstacle,
  openLab,
  procDrbd,
  troubles,
  troubleNamed,
  type InstanceDisk,
  type Lab,
} from "./index.js";

const INSTANCE = "web1.lab.example";
const CLOCK_SLACK_S = 3;
const PROVEN_ELSEWHERE = new Set([
  "stalled-sync",
  "stalled-syncs",
  "finished-and-never-left",
  "stuck-migration",
]); // the latter moves the instance

describe.skipIf(labObstacle() !== undefined)("the lab", () => {
  let lab: Lab;
  let disk: InstanceDisk;

  beforeAll(async () => {
    lab = await openLab();
    disk = await bringHome(lab, await ensureInstance(lab, INSTANCE));
  });

  /** Whatever the machine is busy with: each reading lies between two of the host's. */
  test("the nodes' clocks keep the host's time", async () => {
    for (const node of lab.nodes) {
      for (const command of ["date +%s", "sleep 3; date +%s"]) {
        const earliest = Date.now() / 1000;
        const seconds = Number((await node.run(command)).stdout);
        expect(seconds).toBeGreaterThan(earliest - CLOCK_SLACK_S);
        expect(seconds).toBeLessThan(Date.now() / 1000 + CLOCK_SLACK_S);
      }
    }
  });

  const outOfSyncKib = async (): Promise<number> =>
    Number(/ oos:(\d+)/.exec(await procDrbd(lab, disk.primary))?.[1]);

  test("a stall that is bound to the old connections goes with them, while its rules stay", async () => {
    const stall = troubleNamed("stalled-sync");
    await stall.make(lab, {});
    const primary = lab.node(disk.primary.node);
    await primary.script(CUT, [disk.secondary.ip, String(disk.port), String(disk.primary.minor)], {
      timeoutMs: 60_000,
    });
    await expect.poll(() => outOfSyncKib(), { timeout: 45_000, interval: 500 }).toBeLessThan(30_000);
    expect((await primary.run("iptables -w -S LAB-STALL")).stdout).toContain("DROP");
    await stall.mend(lab, {});
    const { primary: ours, secondary: theirs } = await contentHash(lab, INSTANCE);
    expect(theirs).toBe(ours);
  });

  test.each(troubles.filter(({ name }) => !PROVEN_ELSEWHERE.has(name)))(
    "$name is made and mended",
    async (trouble) => {
      await trouble.make(lab, {});
      await trouble.mend(lab, {});
      expect(await procDrbd(lab, disk.primary)).toContain(
        "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate",
      );
      const { primary, secondary } = await contentHash(lab, INSTANCE);
      expect(secondary).toBe(primary);
    },
  );
});

/** The wiki's four rules, expiring by themselves, until the resync's connections are gone on the Primary. */
const CUT = `
set -e
peer=$1 port=$2 minor=$3
ipset create lab-test hash:ip,port timeout 30 -exist
iptables -w -N LAB-TEST
for pair in src,src src,dst dst,dst dst,src; do
  iptables -w -A LAB-TEST -p tcp -m set --match-set lab-test $pair -j REJECT --reject-with tcp-reset
done
iptables -w -I INPUT -j LAB-TEST
iptables -w -I OUTPUT -j LAB-TEST
ipset add lab-test $peer,tcp:$port timeout 30
for try in $(seq 200); do grep -q "^ *$minor: cs:WFConnection" /proc/drbd && break; sleep 0.1; done
iptables -w -D INPUT -j LAB-TEST
iptables -w -D OUTPUT -j LAB-TEST
iptables -w -F LAB-TEST
iptables -w -X LAB-TEST
ipset destroy lab-test
`;
