/** The exact command lines of every action, and what none of them may hold (I5, I6). */
import { describe, expect, test } from "vitest";
import { stepArgv } from "./action.js";
import { actionCommands } from "./commands.js";
import { ACTIONS, definitionOf } from "./index.js";
import { ASKER, EVERY_SAMPLE as EVERY, SAMPLES } from "./testing.js";

test.each(EVERY)("$0.$case runs these lines, and tells the same without running them", (action, lines) => {
  expect(actionCommands(action, ASKER).map((argv) => argv.join(" "))).toEqual(lines);
  const { prepare, steps } = definitionOf(action);
  const all = [...(prepare?.steps(action.value, ASKER) ?? []), ...steps(action.value, ASKER)];
  expect(all.map((step) => stepArgv(step).join(" "))).toEqual(lines);
});

test("every action that can be asked for has its lines here", () => {
  expect(Object.keys(SAMPLES).sort()).toEqual(Object.keys(ACTIONS).sort());
  expect(Object.entries(ACTIONS).filter(([name, definition]) => definition.name !== name)).toEqual([]);
});

describe("no command", () => {
  const lines = EVERY.flatMap(([action, each]) => each.map((line) => [action.$case, line] as const));
  const ganeti = /^\/usr\/(?:sbin\/gnt-|bin\/hbal)/; // these have a table of their own: ganeti-commands.test.ts

  test("of DRBD, device-mapper, LVM or a block device is forced (I5)", () => {
    const forced =
      /(?:^|\s)(?:--?f(?:orce)?|-ff|-y|--yes|-9|--discard-my-data|--deferred|remove_all|-C)(?:\s|$)/;
    expect(lines.filter(([, line]) => !ganeti.test(line) && forced.test(line))).toEqual([]);
  });

  test("makes an end Primary, or makes metadata or a generation anew (I6)", () => {
    const never = /drbdsetup (?:primary|create-md|new-current-uuid|attach|connect|resume-io|outdate)/;
    expect(lines.filter(([, line]) => never.test(line))).toEqual([]);
  });

  test("gives data up, but for the one that a person typed the node for", () => {
    expect(lines.filter(([, line]) => /invalidate/.test(line)).map(([name]) => name)).toEqual([
      "discardVictim",
      "discardVictim",
    ]);
  });

  test("is run by a shell, or by a name that is looked up in a path (I36)", () => {
    const programs = lines.map(([, line]) => line.split(" ")[0] ?? "");
    expect(programs.filter((file) => file !== "echo" && !/^\/usr\/s?bin\/[a-z-]+$/.test(file))).toEqual([]);
    expect(programs.filter((file) => /\/(?:ba|da|)sh$|sudo|env$/.test(file))).toEqual([]);
  });

  test("is without a deadline (I37)", () => {
    const commands = EVERY.flatMap(([action]) =>
      definitionOf(action)
        .steps(action.value, ASKER)
        .flatMap((step) => ("run" in step ? [step.run] : [])),
    );
    expect(commands.filter(({ timeoutMs }) => !(timeoutMs > 0 && timeoutMs <= 3_600_000))).toEqual([]);
    const long = commands.filter(({ timeoutMs }) => timeoutMs > 60_000).map(({ file }) => file);
    expect([...new Set(long)].sort()).toEqual(["/usr/bin/hbal", "/usr/sbin/gnt-node"]);
  });
});
