/**
 * Sample outputs that lie beside the project and are no part of it: other projects' test data, public reports, and
 * what Ganeti's own programs answer for them. Where the folder is not there, these tests are skipped, visibly.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const ROOT = new URL("../../../shared/fixtures/", import.meta.url);

export const fixturesAbsent = !existsSync(ROOT);
if (fixturesAbsent) console.warn("conformance: ../shared/fixtures is not there; its tests are skipped");

export function fixture(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Paths of the files in a folder; none where the fixtures are absent. */
export function fixturesIn(folder: string): string[] {
  const url = new URL(`${folder}/`, ROOT);
  if (!existsSync(url)) return [];
  const files = readdirSync(url, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ name }) => `${folder}/${name}`).sort();
}
