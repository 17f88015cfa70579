/** The table of planted bugs: one at least for each invariant that is watched. */
import { AGENT } from "./agent.js";
import { ENGINE } from "./engine.js";
import type { Mutant } from "./mutant.js";

export const MUTANTS: readonly Mutant[] = [...ENGINE, ...AGENT];
