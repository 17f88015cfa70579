/** `npm run lab -- VERB …`: the lab at the keyboard. Exit codes: 0 done, 1 failed, 2 wrong words, 130 interrupted. */
import { parseArgs } from "node:util";
import { takeDown } from "./down.js";
import { HELP, verbs } from "./verbs.js";

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: true,
    options: {
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
  if (verb.cleansUp === true) cleanUpOnSignals();
  return verb.run(words, values);
}

/** Ctrl-C while the lab comes up leaves nothing running. */
function cleanUpOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      console.error("\ninterrupted: taking the lab down");
      void takeDown().finally(() => process.exit(130));
    });
  }
}

/** `ssh h1 ls -l` must not have its own options read here. */
function isSsh(): boolean {
  return process.argv[2] === "ssh";
}

try {
  process.exitCode = isSsh() ? await runSsh(process.argv.slice(3)) : await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function runSsh(words: readonly string[]): Promise<number> {
  const verb = verbs.find((candidate) => candidate.name === "ssh");
  return (await verb?.run(words, {})) ?? 2;
}
