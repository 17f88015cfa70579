/** The table of disturbances: adding one is its line in its file, and its name in exposure.ts. */
import { BY_HAND } from "./by-hand.js";
import { CRASHES } from "./crashes.js";
import type { Disturbance } from "./disturbance.js";
import { MACHINES } from "./machines.js";
import { OPERATORS } from "./operators.js";
import { PEOPLE } from "./people.js";

export const DISTURBANCES: readonly Disturbance[] = [
  ...PEOPLE,
  ...OPERATORS,
  ...BY_HAND,
  ...CRASHES,
  ...MACHINES,
];
