import type { Clock, Stop } from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import type { Change } from "../store/store.js";
import { createKillSwitch, type KillSwitch } from "./kill-switch.js";

const clock: Clock = { monotonicMs: () => 0, wallUnixMs: () => 7, sleep: async () => undefined };
let kept: Change[];
let announced: Stop[];
let onDisk: () => Promise<void>;
let killSwitch: KillSwitch;
let leads = true;

beforeEach(() => {
  kept = [];
  announced = [];
  onDisk = async () => undefined;
  leads = true;
  killSwitch = made({ number: 0, why: "" });
});

function made(known: Stop): KillSwitch {
  const record = async (changes: readonly Change[]): Promise<void> => {
    await onDisk();
    kept.push(...changes);
  };
  return createKillSwitch({
    clock,
    known,
    leads: () => leads,
    record,
    announce: (stop) => void announced.push(stop),
  });
}

test("a stop counts at once and is told to every agent, before it is on disk; it is confirmed when it is", async () => {
  const written = Promise.withResolvers<void>();
  onDisk = () => written.promise;
  const confirmed = killSwitch.set(true, "anna", "wrong disk");
  expect(killSwitch.stopped()).toBe("anna: wrong disk");
  expect(announced).toEqual([{ number: 1, why: "anna: wrong disk" }]);
  expect(kept).toEqual([]);
  written.resolve();
  await confirmed;
  expect(kept).toMatchObject([
    { record: "kill-switch", stop: { number: 1, why: "anna: wrong disk" } },
    { record: "audit", audit: { actor: "anna", action: "kill-switch.thrown" } },
  ]);
});

test("it is let go only once that is on disk", async () => {
  await killSwitch.set(true, "anna", "wrong disk");
  const written = Promise.withResolvers<void>();
  onDisk = () => written.promise;
  const released = killSwitch.set(false, "anna", "the right one");
  expect(killSwitch.stopped()).toBe("anna: wrong disk");
  written.resolve();
  await released;
  expect(killSwitch.stopped()).toBe("");
  expect(announced.at(-1)).toEqual({ number: 2, why: "" });
});

test("a stop that comes while another is being let go holds", async () => {
  await killSwitch.set(true, "anna", "one");
  const written = Promise.withResolvers<void>();
  onDisk = () => written.promise;
  const released = killSwitch.set(false, "anna", "done");
  const again = killSwitch.set(true, "bert", "two");
  written.resolve();
  await Promise.all([released, again]);
  expect(killSwitch.stopped()).toBe("bert: two");
  expect(announced.at(-1)).toEqual({ number: 3, why: "bert: two" });
});

test("a stop that an agent knows of another master's time is taken up where it is newer", async () => {
  killSwitch = made({ number: 3, why: "" });
  await killSwitch.learn({ number: 2, why: "old" }, "h2");
  await killSwitch.learn(undefined, "h2");
  expect(killSwitch.stopped()).toBe("");
  await killSwitch.learn({ number: 4, why: "anna: the switch" }, "h2");
  expect(killSwitch.stopped()).toBe("anna: the switch");
  expect(announced).toEqual([{ number: 4, why: "anna: the switch" }]);
});

test("no agent's word alone lets go what is stopped: the stop is told again, under a number that counts (I41)", async () => {
  await killSwitch.set(true, "anna", "wrong disk");
  await killSwitch.learn({ number: 9, why: "" }, "h3");
  expect(killSwitch.stopped()).toBe("anna: wrong disk");
  expect(announced.at(-1)).toEqual({ number: 10, why: "anna: wrong disk" });
  await killSwitch.set(false, "anna", "the right one");
  expect(announced.at(-1)).toEqual({ number: 11, why: "" });
});

test("a number beyond reason is not believed: no agent would take the next one (I41)", async () => {
  await killSwitch.learn({ number: Number.MAX_SAFE_INTEGER, why: "x" }, "h3");
  await killSwitch.set(true, "anna", "wrong disk");
  expect(announced).toEqual([{ number: 1, why: "anna: wrong disk" }]);
});

test("who does not lead may stop, and lets nothing go: nobody told it what was stopped elsewhere", async () => {
  leads = false;
  await killSwitch.set(true, "bob", "a drill");
  await expect(killSwitch.set(false, "bob", "it is over")).rejects.toMatchObject({ code: "NOT_LEADING" });
  expect(killSwitch.stopped()).toBe("bob: a drill");
});

test("of two masters' words under one number the stop counts, and is told under a number that everybody takes", async () => {
  killSwitch = made({ number: 6, why: "" });
  await killSwitch.learn({ number: 6, why: "anna: wrong disk" }, "h3");
  expect(killSwitch.stopped()).toBe("anna: wrong disk");
  expect(announced).toEqual([{ number: 7, why: "anna: wrong disk" }]);
});

test("it needs a reason", async () => {
  await expect(killSwitch.set(true, "anna", "  ")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(killSwitch.stopped()).toBe("");
});
