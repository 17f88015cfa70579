/** `npm run lab -- VERB …`: the lab at the keyboard. Exit codes: 0 done, 1 failed, 2 wrong words, 130 interrupted. */
import { parseArgs } from "node:util";
import { asProblem } from "./host/problem.js";
import { takeDownOnSignals } from "./interrupted.js";
import { HELP, verbs } from "./verbs.js";

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: true,
    options: {
      suite: { type: "string" },
      instance: { type: "string" },
      node: { type: "string" },
      peer: { type: "string" },
      daemon: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [name = "", ...words] = positionals;
  const verb = verbs.find((candidate) => candidate.name === name);
  if (values.help === true || verb === undefined) {
    console.log(HELP);
    return values.help === true ? 0 : 2;
  }
  if (verb.cleansUp === true) takeDownOnSignals();
  return verb.run(words, values);
}

/** `ssh h1 ls -l` must not have its own options read here. */
function isSsh(): boolean {
  return process.argv[2] === "ssh";
}

try {
  process.exitCode = isSsh() ? await runSsh(process.argv.slice(3)) : await main();
} catch (error) {
  const wrongWords =
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  const during = `npm run lab -- ${process.argv.slice(2).join(" ")}`;
  console.error(`lab: ${wrongWords ? error.message : asProblem(error, during).message}`);
  process.exitCode = wrongWords ? 2 : 1;
}

async function runSsh(words: readonly string[]): Promise<number> {
  const verb = verbs.find((candidate) => candidate.name === "ssh");
  return (await verb?.run(words, {})) ?? 2;
}
