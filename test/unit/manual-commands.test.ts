/** What a plan shows a person is what the agent runs (I32), and none of it is forced (I5). */
import { ActionOutcome, type DrbdEnd } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Command } from "../../agent/src/host.js";
import { stall } from "../../agent/src/guards/testing.js";
import {
  addCut,
  dismantleSteps,
  fenceSteps,
  flushCuts,
  listCuts,
  removeCut,
} from "../../agent/src/link-fence.js";
import { cutRequest, performStage, restoreRequest, type PerformStage } from "../../agent/src/testing.js";
import { manualCut, manualRestore } from "../../orchestrator/src/runbooks/manual.js";

let stage: PerformStage;
beforeEach(() => (stage = performStage()));
afterEach(() => stage.end());

const V4 = { peerAddress: "10.0.0.2", port: 11_018 };
const V6 = { peerAddress: "fd00::2", port: 11_018 };
const END = stall().params.end as DrbdEnd;

/** "/usr/sbin/iptables -w 3 -N X" as one would type it: "iptables -N X". */
function typed({ file, args }: Command): string {
  return [file.replace("/usr/sbin/", ""), ...args].join(" ").replace(" -w 3 ", " ");
}

function withoutNode(lines: readonly string[], run: string): string[] {
  return lines.map((line) => line.replace(/^h1\.example# /, "").replace(/\bRUN$/, run));
}

test("the commands that are shown for a cut are those that the agent runs where nothing is there yet", async () => {
  expect(await stage.perform(cutRequest())).toMatchObject({ outcome: ActionOutcome.DONE });
  const changing = stage.ran.filter(({ args }) => !args.includes("-C") && !args.includes("-S"));
  expect(changing.map(typed)).toEqual(withoutNode(manualCut(END, 30), "r-1"));
});

test("the command that is shown for a restore is the one that the agent runs", async () => {
  await stage.perform(cutRequest());
  stage.ran.length = 0;
  expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: ActionOutcome.DONE });
  expect(stage.ran.map(typed)).toEqual(withoutNode(manualRestore(END), "r-1"));
});

test("they are the same for IPv6", () => {
  const end = { ...END, peerAddress: V6.peerAddress };
  const commands = [...fenceSteps(V6).map(({ run }) => run), addCut(V6, 30, "r-1")];
  expect(commands.map(typed)).toEqual(withoutNode(manualCut(end, 30), "r-1"));
  expect([removeCut(V6)].map(typed)).toEqual(withoutNode(manualRestore(end), "r-1"));
});

const EVERY_COMMAND = [V4, V6].flatMap((cut) => [
  ...fenceSteps(cut).flatMap(({ unless, run }) => [run, ...(unless === undefined ? [] : [unless])]),
  addCut(cut, 30, "r-1"),
  removeCut(cut),
  listCuts("vigie-cut"),
  flushCuts("vigie-cut"),
  ...dismantleSteps(),
]);

test("no command of the agent's actions is forced, and none is of DRBD, LVM or the device-mapper (I5, I6)", () => {
  const words = EVERY_COMMAND.flatMap(({ args }) => args);
  const forced = /^(?:--?force|-f|-9|--discard-my-data|primary|detach|invalidate.*|--yes-do-it|--kill)$/;
  expect(words.filter((word) => forced.test(word))).toEqual([]);
  expect([...new Set(EVERY_COMMAND.map(({ file }) => file))].toSorted()).toEqual([
    "/usr/sbin/ip6tables",
    "/usr/sbin/ipset",
    "/usr/sbin/iptables",
  ]);
});

test("every iptables call waits for the lock, and every command has a deadline (I20, I37)", () => {
  const tables = EVERY_COMMAND.filter(({ file }) => file.endsWith("tables"));
  expect(tables.filter(({ args }) => args.slice(0, 2).join(" ") !== "-w 3")).toEqual([]);
  expect(EVERY_COMMAND.filter(({ timeoutMs }) => !(timeoutMs > 0 && timeoutMs <= 10_000))).toEqual([]);
});
