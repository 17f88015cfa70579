/** Names a golden state by everything that went into it, so that a changed recipe never boots an old one. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Suite } from "../host/suite.js";

const LAB = join(import.meta.dirname, "..");
const INGREDIENTS = ["root", "recipe", "cluster/golden-cluster.ts", "nodes.ts"];

/** @returns 12 hexadecimal digits */
export function recipeHash(suite: Suite, nodeBinary: string): string {
  const hash = createHash("sha256");
  for (const path of INGREDIENTS.flatMap((name) => filesUnder(join(LAB, name)))) {
    hash.update(path.slice(LAB.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  hash.update(suite);
  hash.update(String(statSync(nodeBinary).size));
  return hash.digest("hex").slice(0, 12);
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).toSorted();
  return names.flatMap((name) => filesUnder(join(path, name)));
}
