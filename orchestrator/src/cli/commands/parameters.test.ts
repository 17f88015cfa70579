/** The words after a runbook's name: in its order, by name, several for a plural, and a disk as the screens call it. */
import { RunbookInfo } from "@vigie/proto";
import { expect, test } from "vitest";
import { parametersFor } from "./parameters.js";

const required = true;
const RESET = RunbookInfo.fromPartial({
  name: "reset-stalled-sync",
  parameters: [{ name: "instance", required }, { name: "disk" }],
});
const MOVE = RunbookInfo.fromPartial({
  name: "move-disks",
  parameters: [{ name: "node", required }, { name: "to" }, { name: "instances" }],
});

function given(info: RunbookInfo, words: string, named: readonly string[] = []): string[] {
  const typed = words.split(" ").filter((it) => it !== "");
  return parametersFor(info, typed, named).map(({ name, value }) => `${name}=${value}`);
}

test.each([
  ["in the runbook's order", RESET, "web1 1", ["instance=web1", "disk=1"]],
  ["a disk as the screens call it", RESET, "web1.example/1", ["instance=web1.example", "disk=1"]],
  ["by name, where another one is left out", MOVE, "h2 instances=web1", ["node=h2", "instances=web1"]],
  ["several for a plural", MOVE, "h2 h3 web1 web2", ["node=h2", "to=h3", "instances=web1,web2"]],
  [
    "the names first, the rest in order",
    MOVE,
    "to=h3 h2 web1 web2",
    ["node=h2", "to=h3", "instances=web1,web2"],
  ],
])("%s", (_, info, words, values) => expect(given(info, words)).toEqual(values));

test("--param gives a value that looks like nothing else", () => {
  expect(given(MOVE, "h2", ["to=a=b"])).toEqual(["node=h2", "to=a=b"]);
});

test.each([
  ["web1 1 2", /"2" is one word too many: vigie do reset-stalled-sync INSTANCE \[DISK\]/],
  ["", /needs instance/],
  ["disk=1", /needs instance/],
])("%j is told with the call that is right", (words, message) => {
  expect(() => given(RESET, words)).toThrow(message);
});
