/** The table of rules. Adding one is its file, its test and its line here. */
import type { Rule } from "../rule.js";
import { degraded } from "./degraded.js";
import { diskOffline } from "./disk-offline.js";
import { diskless } from "./diskless.js";
import { nodeSilent } from "./node-silent.js";
import { sourceDamaged } from "./source-damaged.js";
import { stalledSync } from "./stalled-sync.js";
import { splitBrain, standalone } from "./standalone.js";

export const RULES: readonly Rule[] = [
  stalledSync,
  splitBrain,
  standalone,
  diskless,
  degraded,
  nodeSilent,
  diskOffline,
  sourceDamaged,
];
