/**
 * What `deploy/quickstart` runs once Node.js and the dependencies are there. Exit code 0 only when the heal was seen.
 */
import { demonstrateOnLab, labObstacle } from "./on-lab.js";
import { demonstrateSimulated } from "./simulated.js";

const print = (line: string): void => console.log(line);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((word) => word !== "--simulated");

if (unknown.length > 0) {
  console.error(`quickstart: unknown: ${unknown.join(" ")}; it takes --simulated, or nothing`);
  process.exit(2);
}
const obstacle = wanted.includes("--simulated") ? "--simulated was given" : labObstacle();
if (obstacle !== undefined) print(`On a simulated cluster, for ${obstacle}.\n`);
const healed = obstacle === undefined ? await demonstrateOnLab(print) : await demonstrateSimulated(print);
process.exit(healed ? 0 : 1);
