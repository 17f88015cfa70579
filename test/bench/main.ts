/**
 * `npm run bench [-- PART…] [--runs N] [--minutes M] [--seconds S] [--json]`: Vigie's figures, each against its limit.
 * Exit codes: 0 measured (whatever the figures are), 1 a part failed, 2 wrong words.
 */
import { parseArgs } from "node:util";
import { agentPart } from "./agent/idle-agent.js";
import { bundlePrograms } from "./programs.js";
import { figuresOf, PART_NAMES, type Measured, type PartName } from "./figures.js";
import { labPart } from "./lab/lab-part.js";
import { machineText } from "./machine.js";
import { orchestratorPart } from "./orchestrator/loaded-orchestrator.js";
import { parsePart } from "./parse.js";
import type { BenchOptions, Part } from "./part.js";
import { planPart } from "./plan.js";
import { storePart } from "./store.js";
import { table } from "./print.js";

const PARTS: readonly Part[] = [parsePart, planPart, storePart, agentPart, orchestratorPart, labPart];

const IN_PROCESS: readonly PartName[] = ["parse", "plan", "store"]; // without the programs

const HELP = `npm run bench [-- PART…] [options]
  PART           ${PART_NAMES.join(", ")}; all where none is named
  --runs N       runs of each part (else ${PARTS.map(({ name, runs }) => `${name} ${runs}`).join(", ")})
  --minutes M    that the idle agent is watched for (10)
  --seconds S    that the loaded orchestrator is measured for (60)
  --node-flags F more flags for the measured process, as "--cpu-prof --cpu-prof-dir=/tmp"
  --json         one object instead of a table; all else goes to stderr`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      minutes: { type: "string", default: "10" },
      seconds: { type: "string", default: "60" },
      "node-flags": { type: "string", default: "" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const strays = positionals.filter((word) => !(PART_NAMES as readonly string[]).includes(word));
  const options: BenchOptions = {
    runs: values.runs === undefined ? undefined : positive(values.runs),
    minutes: positive(values.minutes),
    seconds: positive(values.seconds),
    nodeFlags: values["node-flags"].split(" ").filter((flag) => flag !== ""),
  };
  if (values.help || strays.length > 0) {
    console.error(HELP);
    return values.help ? 0 : 2;
  }
  const wanted = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  console.error(`before: ${machineText()}`);
  if (wanted.some(({ name }) => !IN_PROCESS.includes(name))) await bundlePrograms();
  const { measured, failed } = await runAll(wanted, options);
  console.error(`after:  ${machineText()}`);
  const figures = figuresOf(measured);
  console.log(values.json ? JSON.stringify(figures) : table(figures));
  return failed ? 1 : 0;
}

async function runAll(
  parts: readonly Part[],
  options: BenchOptions,
): Promise<{ readonly measured: readonly Measured[]; readonly failed: boolean }> {
  const measured: Measured[] = [];
  let failed = false;
  for (const part of parts) {
    const obstacle = part.obstacle?.();
    if (obstacle !== undefined) note(part.name, `not measured: ${obstacle}`);
    const runs = obstacle === undefined ? (options.runs ?? part.runs) : 0;
    for (let run = 1; run <= runs; run += 1) {
      try {
        measured.push(await part.run(options, (text) => note(`${part.name} ${run}`, text)));
      } catch (error) {
        note(`${part.name} ${run}`, `failed: ${error instanceof Error ? error.stack : String(error)}`);
        failed = true;
      }
    }
  }
  return { measured, failed };
}

function note(who: string, text: string): void {
  console.error(`${who}: ${text}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`${text} is not a number above 0`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n${HELP}` : error);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
