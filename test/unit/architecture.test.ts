/** What may import what. The tables here are the architecture: a new arrow is a decision, and is made here first. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { firstCycle, ROOT, sourcesOf, type SourceFile } from "./imports.js";

const PROTO = sourcesOf("proto/src");
const AGENT = sourcesOf("agent/src");
const ORCHESTRATOR = sourcesOf("orchestrator/src");
const ALL = [...PROTO, ...AGENT, ...ORCHESTRATOR];

/** A folder of the orchestrator, and the folders and root files that it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  view: [],
  detect: ["view", "wording"],
  policy: ["view", "detect", "config.ts"],
  runbooks: ["view", "detect", "policy"],
  store: ["view"],
  gateway: ["view", "store"],
  notify: ["policy", "store", "wording"],
  engine: ["view", "detect", "policy", "runbooks", "store", "gateway", "config.ts", "identifier.ts"],
  api: ["view", "detect", "policy", "runbooks", "store", "gateway", "engine", "config.ts", "orchestrator.ts"],
  ca: [],
  wording: [],
  cli: ["ca", "wording"],
};

/** Pure functions that happen to live in a module of node. */
const PURE_OF_NODE =
  /^\{ (?:isIP|isIPv6|SocketAddress) \} from node:net$|^\{ (?:createHash|X509Certificate) \} from node:crypto$/;

test("proto knows neither agent nor orchestrator, and these two know only proto", () => {
  expect(importsOf(PROTO, /^@vigie\//)).toEqual([]);
  expect(importsOf(AGENT, /^@vigie\/(?!proto$)/)).toEqual([]);
  expect(importsOf(ORCHESTRATOR, /^@vigie\/(?!proto$)/)).toEqual([]);
});

test("no package reaches into another one's folder", () => {
  const strays = ALL.flatMap(({ path, imports }) =>
    imports
      .filter(({ file }) => file !== "" && file.split("/")[0] !== path.split("/")[0])
      .map(({ file }) => `${path} → ${file}`),
  );
  expect(strays).toEqual([]);
});

describe("within the orchestrator, imports go one way", () => {
  test.each(Object.entries(MAY_IMPORT))("%s imports only what lies below it", (folder, allowed) => {
    const own = ORCHESTRATOR.filter(({ path }) => placeOf(path) === folder);
    expect(own).not.toEqual([]);
    const strays = own.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== "" && ![folder, ...allowed].includes(placeOf(file)))
        .map(({ file }) => `${path} → ${file}`),
    );
    expect(strays).toEqual([]);
  });

  test("every folder has a row", () => {
    const folders = new Set(ORCHESTRATOR.map(({ path }) => placeOf(path)).filter((p) => !p.endsWith(".ts")));
    expect([...folders].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });
});

test.each([
  ["proto", PROTO],
  ["agent", AGENT],
  ["orchestrator", ORCHESTRATOR],
])("%s has no import cycle", (_name, sources) => {
  expect(firstCycle(sources)).toEqual([]);
});

test("the scanner finds a cycle where there is one", () => {
  const file = (path: string, to: string): SourceFile => ({
    path,
    text: "",
    imports: [{ what: "{ x }", from: to, file: to }],
  });
  expect(firstCycle([file("a.ts", "b.ts"), file("b.ts", "c.ts"), file("c.ts", "b.ts")])).toEqual([
    "b.ts",
    "c.ts",
    "b.ts",
  ]);
});

describe("pure code touches no machine, clock, store or client", () => {
  const pure = [
    ...ORCHESTRATOR.filter(({ path }) => ["view", "detect", "policy", "runbooks"].includes(placeOf(path))),
    ...ORCHESTRATOR.filter(({ path }) =>
      /\/notify\/(?:notice|grouping|schedule|item|outgoing|text)\.ts$/.test(path),
    ),
    ...AGENT.filter(({ path }) => path.startsWith("agent/src/guards/")),
  ];

  test("rules, policy, runbooks, view and guards import no module of node", () => {
    expect(importsOf(pure, /^node:/)).toEqual([]);
  });

  test("parsers use nothing of node but its pure functions", () => {
    const sources = AGENT.filter(({ path }) => path.startsWith("agent/src/sources/"));
    expect(
      importsOf(sources, /^node:/).filter((line) => !PURE_OF_NODE.test(line.split(": ")[1] ?? "")),
    ).toEqual([]);
  });

  test("none of them names a clock, a timer, the environment or chance", () => {
    const words = /\b(?:realClock|Clock|Date|setTimeout|setInterval|Math\.random|process|performance)\b/;
    const code = (text: string): string => text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$|`[^`]*`|"[^"\n]*"/gm, "");
    expect(pure.filter(({ text }) => words.test(code(text))).map(({ path }) => path)).toEqual([]);
  });

  test("none of them imports a store, a gateway or a gRPC client, but for types", () => {
    const lines = importsOf(pure, /grpc|sqlite|\/store\/|\/gateway\//);
    expect(lines.filter((line) => !line.includes(": type {"))).toEqual([]);
  });
});

test("one file of the agent starts processes, and nothing of the orchestrator does", () => {
  const starters = ALL.filter(({ imports }) =>
    imports.some(({ from }) => /^(?:node:)?child_process$/.test(from)),
  );
  expect(starters.map(({ path }) => path)).toEqual(["agent/src/run-command.ts"]);
});

test("nothing is exported as default", () => {
  expect(
    ALL.filter(({ text }) => /^export default\b|\bas default\b/m.test(text)).map(({ path }) => path),
  ).toEqual([]);
});

test("every package has the version that the programs show", () => {
  const versions = [
    "package.json",
    ...["proto", "agent", "orchestrator", "test"].map((p) => `${p}/package.json`),
  ].map((path) => [
    path,
    (JSON.parse(readFileSync(join(ROOT, path), "utf8")) as { version: string }).version,
  ]);
  expect(versions.filter(([, version]) => version !== VERSION)).toEqual([]);
});

/** "agent/src/look.ts: { isIP } from node:net" for each import of what matches. */
function importsOf(sources: readonly SourceFile[], from: RegExp): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((it) => from.test(it.from)).map((it) => `${path}: ${it.what} from ${it.from}`),
  );
}

/** The folder of the orchestrator that a file is in, or the file's own name at the root. */
function placeOf(path: string): string {
  return path.split("/")[2] ?? "";
}
