import * as fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { locateKeys, type KeyPath } from "./toml-lines.js";

test("a header inside a string or a comment is not one", () => {
  const text = 'a = """\n[b]\nc = 1\n"""\n# [d]\n[e]\nf = \'\'\'\n[g]\'\'\'\nh = "#"\n';
  const lines = locateKeys(text);
  expect(lines.paths).toEqual([["a"], ["e"], ["e", "f"], ["e", "h"]]);
  expect(lines.lineOf(["e", "h"])).toBe(9);
});

test("a table stands where its own header is, not where a longer one implied it", () => {
  const lines = locateKeys("[a.b]\nc = 1\n\n[a]\nd = 2\n");
  expect(lines.lineOf(["a"])).toBe(4);
  expect(lines.lineOf(["a", "b"])).toBe(1);
});

test("below an array of tables, a header belongs to its newest table", () => {
  const lines = locateKeys('[[n]]\nx = 1\n[[n]]\nx = 2\n[n."s t"]\ny.z = 3\n[[n.k]]\nw = 4\n');
  expect(lines.lineOf(["n", 1, "x"])).toBe(4);
  expect(lines.lineOf(["n", 1, "s t", "y", "z"])).toBe(6);
  expect(lines.lineOf(["n", 1, "k", 0, "w"])).toBe(8);
});

test("text that is no TOML ends the walk, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom("[", "]", "{", "}", "=", ".", ",", '"', "'", "#", "\\", "\n", " ", "a", "1"),
      }),
      (text) => {
        try {
          locateKeys(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError); // of a quoted key that is no JSON string
        }
      },
    ),
  );
});

/** A document as a tree, with every way in which it may be written. */
type Node = { readonly kind: "leaf"; readonly style: number } | TreeNode;
interface TreeNode {
  readonly kind: "table" | "inline" | "list" | "tables" | "dotted";
  readonly style: number;
  readonly items: readonly (readonly [string, Node])[];
}

const KEY = fc.oneof(
  fc.constantFrom("a", "b", "c-1", "0"),
  fc.constantFrom("x.y", "sp ace", 'q"t', "ü\\", "[h]", "#", "=", "\u0001"),
  fc.string(),
);
const STYLE = fc.nat(5);
const LEAF = fc.record({ kind: fc.constant("leaf" as const), style: STYLE });
const { flat } = fc.letrec<{ flat: Node }>((tie) => ({
  flat: fc.oneof({ maxDepth: 3 }, LEAF, group(["inline", "list"], tie("flat"))),
}));
const { document } = fc.letrec<{ document: Node }>((tie) => ({
  document: fc.oneof({ maxDepth: 3 }, flat, group(["table", "tables", "dotted"], tie("document"))),
}));

function group(kinds: readonly TreeNode["kind"][], child: fc.Arbitrary<Node>): fc.Arbitrary<Node> {
  const items = fc.uniqueArray(fc.tuple(KEY, child), { selector: ([key]) => key, maxLength: 4 });
  return fc.record({ kind: fc.constantFrom(...kinds), style: STYLE, items });
}

/** Writes a tree. Every leaf is a number of its own, so that its line can be found by looking for it. */
class Writer {
  private next = 100_000;

  table(items: TreeNode["items"], header: readonly string[]): string {
    const pairs = items.filter(([, it]) => !isNested(it)).map(([key, it]) => this.pair([key], it));
    const tables = items
      .filter(([, it]) => isNested(it))
      .map(([key, it]) => this.nested([...header, key], it as TreeNode));
    return [...pairs, ...tables].join("");
  }

  private nested(header: readonly string[], node: TreeNode): string {
    const name = header.map((it) => quote(it, node.style)).join(" . ");
    if (node.kind === "table") return `\n[ ${name} ] # [no]\n${this.table(node.items, header)}`;
    const items = node.items.map(([key, it]) => `[[${name}]]\n${this.table([[key, it]], header)}`);
    return items.length === 0 ? `[[${name}]]\n` : items.join("");
  }

  private pair(keys: readonly string[], node: Node): string {
    if (node.kind === "dotted" && node.items.length > 0) {
      return node.items.map(([key, it]) => this.pair([...keys, key], keepFlat(it))).join("");
    }
    return `${keys.map((it) => quote(it, node.style)).join(node.style > 2 ? " . " : ".")} = ${this.value(node)} # a = [\n`;
  }

  private value(node: Node): string {
    if (node.kind === "leaf") return this.leaf(node.style);
    const gap = node.style > 2 && node.kind === "list" ? "\n # ] = \n " : " ";
    if (node.kind === "list")
      return `[${gap}${node.items.map(([, it]) => this.value(keepFlat(it))).join(` ,${gap}`)}${gap}]`;
    return `{ ${node.items.map(([key, it]) => `${quote(key, it.style)} = ${this.value(keepFlat(it))}`).join(", ")} }`;
  }

  private leaf(style: number): string {
    this.next += 1;
    const n = String(this.next);
    return (
      [n, `"${n} \\" ]"`, `'${n} #'`, `"""${n}\n[no]\nno = "1" \\" """`, `'''${n}\n[[no]]\n'' '''`, n][
        style
      ] ?? n
    );
  }
}

/** Inside a value, only values. */
function keepFlat(node: Node): Node {
  return node.kind === "leaf" || node.kind === "list" || node.kind === "inline"
    ? node
    : { ...node, kind: "inline" };
}

function isNested(node: Node): boolean {
  return node.kind === "table" || node.kind === "tables";
}

function quote(key: string, style: number): string {
  if (/^[A-Za-z0-9_-]+$/.test(key) && style < 4) return key;
  return style === 3 && /^[ -&(-~]*$/.test(key)
    ? `'${key}'`
    : JSON.stringify(key).replaceAll("\u007f", "\\u007f");
}

test("the locator finds exactly smol-toml's keys, each on the line where its value begins", () => {
  const items = fc.uniqueArray(fc.tuple(KEY, document), { selector: ([key]) => key, maxLength: 6 });
  fc.assert(
    fc.property(items, (tree) => {
      const text = new Writer().table(tree, []);
      const lines = locateKeys(text);
      const leaves = leavesOf(parse(text), []);
      const known = new Set(lines.paths.map((it) => JSON.stringify(it)));
      for (const { path, marker } of leaves) {
        expect(lines.lineOf(path), `${JSON.stringify(path)} in\n${text}`).toBe(lineOfMarker(text, marker));
        for (let n = 1; n <= path.length; n += 1) known.delete(JSON.stringify(path.slice(0, n)));
      }
      for (const rest of known)
        expect(emptyAt(parse(text), JSON.parse(rest) as KeyPath), `${rest} in\n${text}`).toBe(true);
    }),
    { numRuns: Number(process.env["VIGIE_FUZZ_RUNS"] ?? 500) },
  );
});

function leavesOf(value: unknown, path: KeyPath): { path: KeyPath; marker: string }[] {
  if (Array.isArray(value)) return value.flatMap((it, n) => leavesOf(it, [...path, n]));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, it]) => leavesOf(it, [...path, key]));
  return [{ path, marker: String(value).slice(0, 6) }];
}

function lineOfMarker(text: string, marker: string): number {
  return text.slice(0, text.indexOf(marker)).split("\n").length;
}

/** What has no leaf below it: a key that the locator found must be there, and be empty. */
function emptyAt(value: unknown, path: KeyPath): boolean {
  const there = path.reduce<unknown>(
    (it, key) => (typeof it === "object" && it !== null ? Reflect.get(it, key) : undefined),
    value,
  );
  return typeof there === "object" && leavesOf(there, []).length === 0;
}
