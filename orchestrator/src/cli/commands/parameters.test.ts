/** The words after a runbook's name: in its order, by name, several for a plural, and a disk as the screens call it. */
import { RunbookInfo } from "@vigie/proto";
import { expect, test } from "vitest";
import { parametersFor } from "./parameters.js";

const required = true;
const RESET = RunbookInfo.fromPartial({
  name: "reset-stalled-sync",
  parameters: [{ name: "instance", required }, { name: "disk" }],
});
const REBUILD = RunbookInfo.fromPartial({
  name: "rebuild-redundancy",
  parameters: [{ name: "target", summary: "a node, or instances with commas between" }, { name: "at_once" }],
});
const ADOPT = RunbookInfo.fromPartial({
  name: "adopt-disk",
  parameters: [
    { name: "node", required },
    { name: "disk", required },
    { name: "replaces" },
    { name: "partition" },
  ],
});

function given(info: RunbookInfo, words: string, named: readonly string[] = []): string[] {
  const typed = words.split(" ").filter((it) => it !== "");
  return parametersFor(info, typed, named).map(({ name, value }) => `${name}=${value}`);
}

test.each([
  ["in the runbook's order", RESET, "web1 1", ["instance=web1", "disk=1"]],
  ["a disk as the screens call it", RESET, "web1.example/1", ["instance=web1.example", "disk=1"]],
  [
    "by name, where another one is left out",
    ADOPT,
    "h2 sdc partition=yes",
    ["node=h2", "disk=sdc", "partition=yes"],
  ],
  ["the named ones anywhere", ADOPT, "partition=yes h2 sdc", ["node=h2", "disk=sdc", "partition=yes"]],
  ["several names", REBUILD, "web1 web2", ["target=web1,web2"]],
  ["several names, and a number after them", REBUILD, "web1 web2 3", ["target=web1,web2", "at_once=3"]],
  ["none at all", REBUILD, "", []],
])("%s", (_, info, words, values) => expect(given(info, words)).toEqual(values));

test("--param gives a value that looks like nothing else", () => {
  expect(given(ADOPT, "h2 sdc", ["replaces=a=b"])).toEqual(["node=h2", "disk=sdc", "replaces=a=b"]);
});

test.each([
  ["web1 1 2", /"2" is one word too many: vigie do reset-stalled-sync INSTANCE \[DISK\]/],
  ["", /needs instance/],
  ["disk=1", /needs instance/],
])("%j is told with the call that is right", (words, message) => {
  expect(() => given(RESET, words)).toThrow(message);
});
