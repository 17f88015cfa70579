/** A plan is read before it is approved: each condition must be a clause that says of what, and where. */
import { Condition, NodeChangeKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { conditionText } from "./condition-words.js";

const disk = { node: "h2", name: "sdb" };
const end = { node: "h2", minor: 27 };

test.each<[Condition["what"] | object, string]>([
  [{ $case: "cutStands", value: { end } }, "the kernel of h2 lists the cut"],
  [{ $case: "jobSucceeded", value: { stepId: "", jobId: 77 } }, "job 77 has ended with success"],
  [{ $case: "jobSucceeded", value: { stepId: "cleanup" } }, "the job of cleanup has ended with success"],
  [
    { $case: "jobStill", value: { jobId: 77, forMs: 12_000, anyPhase: false } },
    "job 77 has written nothing in its log for 12 s",
  ],
  [
    { $case: "queueFree", value: { instances: ["web1"], nodes: ["h1", "h2"] } },
    "no job of Ganeti's waits for or holds web1, h1, h2",
  ],
  [{ $case: "watcherPaused", value: {} }, "Ganeti's watcher is not paused"],
  [
    { $case: "redundant", value: { instance: "web1" } },
    "every disk of web1 is UpToDate/UpToDate and in sync on both ends",
  ],
  [{ $case: "instanceOn", value: { instance: "web1", node: "h2" } }, "web1 has its primary node in h2"],
  [{ $case: "nodeEmpty", value: { node: "h2" } }, "no instance has h2 as its primary or secondary node"],
  [
    { $case: "nodeFlagged", value: { node: "h2", change: NodeChangeKind.UNDRAIN } },
    "Ganeti has h2 not drained",
  ],
  [{ $case: "minorDiskless", value: { end } }, "minor 27 of h2 is Diskless, and its peer UpToDate"],
  [{ $case: "minorNotHeld", value: { end } }, "nobody holds /dev/drbd27 on h2"],
  [{ $case: "diskInState", value: { disk, state: "" } }, "the kernel lists sdb of h2 no more"],
  [
    { $case: "mapsGone", value: { node: "h2", maps: [{}, {}] } },
    "device-mapper of h2 knows none of 2 volumes any more",
  ],
  [{ $case: "volumeGroupOn", value: { vgName: "kvmvg", disk } }, "the volume group kvmvg lies on sdb of h2"],
  [{ $case: "personSays", value: { question: "is h2 off?" } }, "a person says that it is so: is h2 off?"],
])("%j", (what, text) => {
  expect(conditionText(Condition.fromPartial({ what: what as never }))).toBe(text);
});

test("one of several is in brackets where it is itself several", () => {
  const over = (jobId: number): object => ({ what: { $case: "jobOver", value: { jobId } } });
  const any = { what: { $case: "anyOf", value: { conditions: [over(1), over(2)] } } };
  const all = { what: { $case: "allOf", value: { conditions: [any, over(3)] } } };
  expect(conditionText(Condition.fromPartial(all as never))).toBe(
    "(job 1 is over, or job 2 is over), and job 3 is over",
  );
});

test("nothing is asked, and something that only a newer orchestrator knows", () => {
  expect(conditionText(undefined)).toBe("");
  expect(conditionText(Condition.fromPartial({}))).toBe("");
  expect(conditionText({ what: { $case: "moonFull", value: {} } } as never)).toBe(
    "something that this vigie does not know",
  );
});
