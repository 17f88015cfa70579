import { spawnSync } from "node:child_process";
import { Command } from "commander";
import { expect, test } from "vitest";
import { COMMANDS } from "./commands/index.js";
import { completionScript } from "./completion.js";
import { GLOBAL_OPTIONS } from "./invocation.js";

function program(): Command {
  const it = new Command("vigie");
  for (const option of GLOBAL_OPTIONS) it.addOption(option);
  for (const add of COMMANDS) add(it, () => undefined);
  return it;
}

/** What bash offers for this line, with the cursor at its end. */
function offered(line: string): string[] {
  const words = line.split(" ");
  const script = [
    completionScript(program(), "bash"),
    `COMP_WORDS=(${words.map((it) => `'${it}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _vigie; echo "\${COMPREPLY[@]}"`,
  ].join("\n");
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split(" ");
}

test("bash offers subcommands, then what is below them, then options", () => {
  expect(offered("vigie inc")).toEqual(["incidents", "incident"]);
  expect(offered("vigie run c")).toEqual(["continue"]);
  expect(offered("vigie do --w")).toEqual(["--word"]);
  expect(offered("vigie incident s")).toEqual(["show", "snooze"]);
  expect(offered("vigie ca issue a")).toEqual(["agent", "admin"]);
  expect(offered("vigie --json runs --o")).toEqual(["--open"]);
  expect(offered("vigie status --s")).toEqual(["--server"]);
});

test.each(["zsh", "fish"] as const)(
  "the script for %s names every subcommand with its description",
  (shell) => {
    const script = completionScript(program(), shell);
    for (const command of program().commands) expect(script).toContain(command.name());
    expect(script).toContain("ca issue");
    const check = spawnSync(shell, ["-n", "/dev/stdin"], { input: script, encoding: "utf8" });
    if (check.error === undefined) expect(check.stderr).toBe(""); // where that shell is installed
  },
);
