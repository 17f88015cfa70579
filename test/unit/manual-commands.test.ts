/** What a plan shows a person is what the agent runs (I32), and none of it is forced (I5). */
import { ActionOutcome, type DrbdEnd } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stepArgv, type ActionStep } from "../../agent/src/actions/action.js";
import type { Command } from "../../agent/src/host.js";
import { stall } from "../../agent/src/guards/testing.js";
import {
  endConnections,
  fenceSteps,
  HOOKS,
  makeCut,
  openSteps,
  rulesIn,
  TABLES,
  tablesCommand,
} from "../../agent/src/link-fence.js";
import { cutRequest, performStage, restoreRequest, type PerformStage } from "../../agent/src/testing.js";
import { manualCut, manualRestore } from "../../orchestrator/src/runbooks/manual.js";

let stage: PerformStage;
beforeEach(() => (stage = performStage()));
afterEach(() => stage.end());

const V4 = { peerAddress: "10.0.0.2", port: 11_018, ttlS: 30, runId: "r-1" };
const V6 = { ...V4, peerAddress: "fd00::2" };
const END = stall().params.end as DrbdEnd;

/** "/usr/sbin/iptables -w 3 -N X" as one would type it: "iptables -N X". */
function typed(argv: readonly string[]): string {
  const words = argv.map((word) => (word.includes(" ") ? `'${word}'` : word));
  return words
    .join(" ")
    .replace(/^\/usr\/s?bin\//, "")
    .replace(" -w 3 ", " ");
}

/** On a node where nothing is there yet. */
function onAnEmptyNode(steps: readonly ActionStep[]): string[] {
  return steps
    .filter((step) => !("run" in step && step.run.args.includes("-D")))
    .map((step) => typed(stepArgv(step)));
}

function withoutNode(lines: readonly string[], run: string): string[] {
  return lines.map((line) => line.replace(/^h1\.example# /, "").replaceAll(/\bRUN\b/g, run));
}

test("the commands that are shown for a cut are those that the agent runs where nothing is there yet", async () => {
  const { outcome, commands } = await stage.perform(cutRequest());
  expect(outcome).toBe(ActionOutcome.DONE);
  expect(commands.map(({ argv }) => typed(argv))).toEqual(withoutNode(manualCut(END, 30), "r-1"));
});

test("the commands that are shown for a restore are those that the agent runs", async () => {
  await stage.perform(cutRequest());
  const { outcome, commands } = await stage.perform(restoreRequest());
  expect(outcome).toBe(ActionOutcome.DONE);
  expect(commands.map(({ argv }) => typed(argv))).toEqual(withoutNode(manualRestore(END), "r-1"));
});

test("they are the same for IPv6", () => {
  const end = { ...END, peerAddress: V6.peerAddress };
  const steps = [...fenceSteps(V6), makeCut(V6), { run: endConnections(V6) }];
  expect(onAnEmptyNode(steps)).toEqual(withoutNode(manualCut(end, 30), "r-1"));
  expect(openSteps(V6).map((step) => typed(stepArgv(step)))).toEqual(withoutNode(manualRestore(end), "r-1"));
});

const asked = (...commands: (Command | undefined)[]): Command[] =>
  commands.filter((each) => each !== undefined);

const EVERY_COMMAND = [V4, V6].flatMap((cut) => [
  ...[...fenceSteps(cut), ...openSteps(cut)].flatMap(({ unless, onlyIf, run }) => asked(run, unless, onlyIf)),
  endConnections(cut),
  ...HOOKS.map((hook) => rulesIn(cut, hook)),
  ...TABLES.map((file) => tablesCommand(file, "-S")),
]);

test("no command of the agent's actions is forced, and none is of DRBD, LVM or the device-mapper (I5, I6)", () => {
  const words = EVERY_COMMAND.flatMap(({ args }) => args);
  const forced = /^(?:--?force|-f|-9|--discard-my-data|primary|detach|invalidate.*|--yes-do-it|--kill)$/;
  expect(words.filter((word) => forced.test(word))).toEqual([]);
  expect([...new Set(EVERY_COMMAND.map(({ file }) => file))].toSorted()).toEqual([
    "/usr/bin/ss",
    "/usr/sbin/ip6tables",
    "/usr/sbin/iptables",
  ]);
});

test("every iptables call waits for the lock, and every command has a deadline (I20, I37)", () => {
  const tables = EVERY_COMMAND.filter(({ file }) => file.endsWith("tables"));
  expect(tables.filter(({ args }) => args.slice(0, 2).join(" ") !== "-w 3")).toEqual([]);
  expect(EVERY_COMMAND.filter(({ timeoutMs }) => !(timeoutMs > 0 && timeoutMs <= 10_000))).toEqual([]);
});
