/** Where guests run against where Ganeti wants them. */
import { Damaged, GanetiFacts, GanetiInstance, GanetiJob, GuestFacts, Severity, Source } from "@vigie/proto";
import { expect, test } from "vitest";
import { INVENTORY, ok, SSCONF, ssconfReport, type Says } from "../../view/testing.js";
import { aboutNode, short } from "../testing.js";
import { foundBy } from "../rule.js";
import { guestDown, guestWrongNode } from "./guests.js";

const runs = (...names: string[]): Says => ({
  sources: [
    ok(Source.GUESTS, {
      $case: "guests",
      value: GuestFacts.fromPartial({ guests: names.map((instance) => ({ instance })) }),
    }),
  ],
});
const web1 = INVENTORY.instances[0];
const wanted = (adminState = "up", jobs: GanetiJob[] = []): GanetiFacts =>
  GanetiFacts.create({
    ...INVENTORY,
    jobs,
    instances: [GanetiInstance.create({ ...web1, adminState, primaryNode: "h1" })],
  });

const wrong = (says: Record<string, Says>, inventory = wanted()) =>
  aboutNode(guestWrongNode, says, "h2", {}, inventory);
const down = (says: Record<string, Says>, inventory = wanted(), node = "h1") =>
  short(aboutNode(guestDown, says, node, {}, inventory));

test("a guest that runs beside its primary node is told, and on two nodes it is critical", () => {
  expect(short(wrong({ h1: runs(), h2: runs("web1") }))).toEqual([
    "web1 runs on h2, and its primary node is h1",
  ]);
  const twice = wrong({ h1: runs("web1"), h2: runs("web1") });
  expect(foundBy(twice)).toMatchObject([
    { severity: Severity.CRITICAL, summary: "web1 runs on h1 and on h2 at once: both write to its disks" },
  ]);
});

test("a guest on its primary node, one that Ganeti does not know, and one that a job works on are no trouble", () => {
  expect(short(wrong({ h1: runs("web1"), h2: runs() }))).toBe("clear");
  expect(short(wrong({ h1: runs(), h2: runs("strange") }))).toBe("clear");
  const migrates = [GanetiJob.create({ id: 7, status: "running", instances: ["web1"] })];
  expect(short(wrong({ h1: runs("web1"), h2: runs("web1") }, wanted("up", migrates)))).toBe("unknown");
});

test("a guest that should run and runs nowhere is told at its primary node", () => {
  expect(down({ h1: runs(), h2: runs() })).toEqual(["h1: web1 should run, and runs nowhere"]);
  expect(down({ h1: runs(), h2: runs() }, wanted(), "h2")).toBe("clear");
  expect(down({ h1: runs("web1"), h2: runs() })).toBe("clear");
  expect(down({ h1: runs(), h2: runs("web1") })).toBe("clear"); // that is another trouble
  expect(down({ h1: runs(), h2: runs() }, wanted("down"))).toBe("clear");
});

test("what a node has not told, or not lately, is not known (I11)", () => {
  expect(down({ h1: {}, h2: runs() })).toBe("unknown");
  expect(short(wrong({ h1: runs(), h2: {} }))).toBe("unknown");
});

test("a guest is not called down while a node that may run it is silent (I11)", () => {
  expect(down({ h1: runs(), h2: { ...runs(), ageMs: 60_000 } })).toBe("unknown");
});

test("a node that Ganeti marks offline runs nothing for it", () => {
  const gone = ssconfReport({ ...SSCONF, offlineNodes: ["h2"] });
  const h1 = { sources: [...(runs().sources ?? []), gone] };
  expect(down({ h1, h2: { ...runs(), ageMs: 60_000 } })).toEqual(["h1: web1 should run, and runs nowhere"]);
});

test("a guest whose process was not understood is not called down (I11)", () => {
  const damaged = [Damaged.create({ object: "web1", reason: "another program has its number" })];
  const value = GuestFacts.create({});
  const odd: Says = { sources: [ok(Source.GUESTS, { $case: "guests", value }, damaged)] };
  expect(down({ h1: odd, h2: runs() })).toBe("unknown");
});

test("what was read of Ganeti a minute ago says nothing of now", () => {
  const old = { h1: { ...runs(), ageMs: 60_000 }, h2: runs("web1") };
  expect(short(wrong(old))).toBe("unknown");
});

test("a job that only waits in the queue neither ends what is seen nor hides it", () => {
  const queued = [GanetiJob.create({ id: 7, status: "queued", instances: ["web1"] })];
  expect(short(wrong({ h1: runs("web1"), h2: runs("web1") }, wanted("up", queued)))).toHaveLength(1);
  expect(down({ h1: runs(), h2: runs() }, wanted("up", queued))).toHaveLength(1);
  const starts = [GanetiJob.create({ id: 7, status: "running", instances: ["web1"] })];
  const answer = aboutNode(guestDown, { h1: runs(), h2: runs() }, "h1", {}, wanted("up", starts));
  expect(foundBy(answer)).toMatchObject([{ holdDownMs: 3_600_000 }]); // it may start it, for so long
});
