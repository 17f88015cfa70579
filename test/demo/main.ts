/**
 * What `deploy/quickstart` runs once Node.js and the dependencies are there. Exit code 0 only when the heal was seen.
 */
import { parseArgs } from "node:util";
import { asProblem, labObstacle, runningLab, takeDownOnSignals, wantedSuite } from "../lab/index.js";
import { demonstrateOnLab } from "./on-lab.js";
import { demonstrateSimulated } from "./simulated.js";

const USAGE = "it takes --suite bookworm or --suite trixie (the nodes' Debian), --simulated, or nothing";
const print = (line: string): void => console.log(line);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\nquickstart: ${asProblem(error, "the demonstration").message}`);
  process.exitCode = 1;
}

/** @returns the exit code */
async function main(): Promise<number> {
  const words = wordsOf(process.argv.slice(2));
  if (typeof words === "string") {
    console.error(`quickstart: ${words}; ${USAGE}`);
    return 2;
  }
  const obstacle = words.simulated === true ? "--simulated was given." : labObstacle();
  if (obstacle !== undefined) {
    print(`On a simulated cluster: ${obstacle}\n`);
    const healed = await demonstrateSimulated(print);
    process.exit(healed ? 0 : 1); // the simulation's killed processes still wait for hours, and must not keep this one
  }
  if (runningLab() === undefined) takeDownOnSignals(); // one that ran before is left as it is
  return (await demonstrateOnLab(print, wantedSuite(words.suite))) ? 0 : 1;
}

function wordsOf(args: string[]): { readonly suite?: string; readonly simulated?: boolean } | string {
  try {
    return parseArgs({ args, options: { suite: { type: "string" }, simulated: { type: "boolean" } } }).values;
  } catch (error) {
    return error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
  }
}
