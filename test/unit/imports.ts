/** The imports of the TypeScript sources, by a small scanner: statements as this repository's formatter writes them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

export interface Import {
  readonly what: string; // "{ isIP }", "type { Host }", "* as fc"; empty: for its effect only
  readonly from: string; // as written
  readonly file: string; // the imported file, relative to the root; empty: a package or a module of node
}

export interface SourceFile {
  readonly path: string; // relative to the root: "agent/src/main.ts"
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT = /^(?:import|export)\s+(?:(?<what>[^;"']*?)\s+from\s+)?["'](?<from>[^"']+)["']/gm;

/** Every source of a folder, without tests and generated code. */
export function sourcesOf(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter(
      (name) => name.endsWith(".ts") && !/\.test\.ts$|(?:^|\/)(?:gen|dist|testing)(?:\/|\.ts$)/.test(name),
    )
    .map((name) => readSource(join(folder, name)))
    .toSorted((a, b) => a.path.localeCompare(b.path));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  const imports = [...text.matchAll(STATEMENT)].map(({ groups }) => {
    const from = groups?.["from"] ?? "";
    return { what: groups?.["what"] ?? "", from, file: fileOf(path, from) };
  });
  return { path, text, imports };
}

function fileOf(importer: string, from: string): string {
  if (!from.startsWith(".")) return "";
  const path = join(dirname(importer), from).replace(/\.js$/, ".ts");
  if (!existsSync(join(ROOT, path))) throw new Error(`${importer} imports ${from}, which is not there`);
  return relative(ROOT, join(ROOT, path));
}

/** @returns the files of the first cycle that is found, in order; empty: there is none */
export function firstCycle(sources: readonly SourceFile[]): string[] {
  const next = new Map(sources.map(({ path, imports }) => [path, imports.map(({ file }) => file)]));
  const done = new Set<string>();
  for (const path of next.keys()) {
    const cycle = walk(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];

  function walk(path: string, way: readonly string[]): string[] {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const file of next.get(path) ?? []) {
      const cycle = walk(file, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  }
}
