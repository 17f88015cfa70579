/** `npm run lab -- VERB`: the lab at the keyboard. */
import { bringUp } from "./up.js";
import { takeDown } from "./down.js";

const report = (l: string): void => console.error(l);
const [verb] = process.argv.slice(2);
if (verb === "up") await bringUp(report);
else if (verb === "golden") await bringUp(report, { fresh: true });
else if (verb === "down") await takeDown();
