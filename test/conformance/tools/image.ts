/** The image of the lab's node of a release, which holds all its tools: made here where the lab has not made it. */
import type { Suite } from "../../lab/index.js";
import { ensurePackages } from "../../lab/host/packages.js";
import { startProgress } from "../../lab/host/progress.js";
import { ensureBaseImage } from "../../lab/recipe/base-image.js";
import { openCache } from "../../lab/recipe/cache.js";

/** @returns the image's file */
export async function imageOf(suite: Suite): Promise<string> {
  const progress = startProgress((line) => console.log(line));
  await ensurePackages(progress.note);
  const cache = await openCache(suite);
  await ensureBaseImage(cache, progress);
  return cache.baseImage;
}
