/**
 * On which line of a TOML text a key stands. smol-toml gives values without positions, and an error that does not
 * name its line sends a person searching at 3 a.m. This is no second parser: it walks text that smol-toml has
 * accepted already, and only needs to know where keys and values begin and end.
 */
export type KeyPath = readonly (string | number)[];

/** `lineOf` gives the 1-based line of a key, a table header or a list item; undefined where there is none. */
export interface KeyLines {
  readonly paths: readonly KeyPath[];
  readonly lineOf: (path: KeyPath) => number | undefined;
}

const BLANK = /[ \t]*/y;
const BLANK_AND_COMMENTS = /(?:[ \t\r\n]|#[^\n]*)*/y;
const BARE_KEY = /[A-Za-z0-9_-]+/y;
const STRINGS = [/"""(?:\\[^]|[^\\])*?"""(?:"{1,2}(?!"))?/y, /'''[^]*?'''(?:'{1,2}(?!'))?/y];
const SHORT_STRINGS = [/"(?:\\.|[^"\\\n])*"/y, /'[^'\n]*'/y];
const SCALAR = /[^,\]}#\n]+/y;

/** @param text a whole document that smol-toml parses; on any other the answer is of no use, but it returns. */
export function locateKeys(text: string): KeyLines {
  const walk = new Walk(text);
  walk.document();
  return { paths: [...walk.found.values()].map((it) => it.path), lineOf: (path) => walk.lineOf(path) };
}

interface Found {
  readonly path: KeyPath;
  readonly line: number;
  readonly explicit: boolean; // false: only implied by a longer key, `[a.b]` for a
}

class Walk {
  readonly found = new Map<string, Found>();
  private at = 0;
  private table: KeyPath = [];
  private readonly counts = new Map<string, number>(); // of the tables in each array of tables

  constructor(private readonly text: string) {}

  lineOf(path: KeyPath): number | undefined {
    return this.found.get(JSON.stringify(path))?.line;
  }

  document(): void {
    for (;;) {
      this.take(BLANK_AND_COMMENTS);
      if (this.at >= this.text.length) return;
      const before = this.at;
      if (this.text[this.at] === "[") this.header();
      else this.pair(this.table);
      if (this.at === before) return;
    }
  }

  private header(): void {
    const line = this.line();
    const repeated = this.text.startsWith("[[", this.at);
    this.at += repeated ? 2 : 1;
    const keys = this.keys();
    this.at += repeated ? 2 : 1;
    const parents = keys.slice(0, -1).reduce<KeyPath>((path, key) => this.enter(path, key, line), []);
    const path = [...parents, ...keys.slice(-1)];
    this.table = repeated ? this.nextTable(path, line) : path;
    this.record(this.table, line, true);
  }

  /** Below an array of tables, a header means the newest of them. */
  private enter(parent: KeyPath, key: string, line: number): KeyPath {
    const path = [...parent, key];
    this.record(path, line, false);
    const count = this.counts.get(JSON.stringify(path));
    return count === undefined ? path : [...path, count - 1];
  }

  private nextTable(path: KeyPath, line: number): KeyPath {
    this.record(path, line, true);
    const index = this.counts.get(JSON.stringify(path)) ?? 0;
    this.counts.set(JSON.stringify(path), index + 1);
    return [...path, index];
  }

  private pair(base: KeyPath): void {
    const line = this.line();
    const keys = this.keys();
    keys.forEach((_, n) => this.record([...base, ...keys.slice(0, n + 1)], line, n === keys.length - 1));
    if (this.text[this.at] !== "=") return;
    this.at += 1;
    this.take(BLANK);
    this.value([...base, ...keys]);
  }

  private value(path: KeyPath): void {
    const first = this.text[this.at];
    if (first === "[") this.list(path);
    else if (first === "{") this.inlineTable(path);
    else if (this.takeString() === undefined) this.take(SCALAR);
  }

  private list(path: KeyPath): void {
    this.inside("]", (index) => {
      this.record([...path, index], this.line(), true);
      this.value([...path, index]);
    });
  }

  private inlineTable(path: KeyPath): void {
    this.inside("}", () => this.pair(path));
  }

  /** What stands between brackets, separated by commas. */
  private inside(end: string, item: (index: number) => void): void {
    this.at += 1;
    for (let index = 0; this.at < this.text.length; index += 1) {
      this.take(BLANK_AND_COMMENTS);
      if (this.text[this.at] === end) break;
      const before = this.at;
      item(index);
      this.take(BLANK_AND_COMMENTS);
      if (this.text[this.at] === ",") this.at += 1;
      if (this.at === before) break;
    }
    this.at += 1;
  }

  /** A dotted key; stops behind it, at `=` or `]`. */
  private keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.take(BLANK);
      keys.push(this.key());
      this.take(BLANK);
      if (this.text[this.at] !== ".") return keys;
      this.at += 1;
    }
  }

  private key(): string {
    const bare = this.take(BARE_KEY);
    return bare !== "" ? bare : unquote(this.takeFirst(SHORT_STRINGS) ?? "''");
  }

  private takeString(): string | undefined {
    return this.takeFirst(STRINGS) ?? this.takeFirst(SHORT_STRINGS);
  }

  private takeFirst(patterns: readonly RegExp[]): string | undefined {
    return patterns.map((pattern) => this.take(pattern)).find((taken) => taken !== "");
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const taken = pattern.exec(this.text)?.[0] ?? "";
    this.at += taken.length;
    return taken;
  }

  private record(path: KeyPath, line: number, explicit: boolean): void {
    const id = JSON.stringify(path);
    const known = this.found.get(id);
    if (known === undefined || (explicit && !known.explicit)) this.found.set(id, { path, line, explicit });
  }

  private line(): number {
    return this.text.slice(0, this.at).split("\n").length;
  }
}

/** The key that a quoted key spells. TOML's \U and \e are the two escapes that JSON has not. */
function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  const json = quoted
    .replaceAll(/\\U([0-9A-Fa-f]{8})|\\x([0-9A-Fa-f]{2})|\\\\/g, (whole, long?: string, short?: string) =>
      long === undefined && short === undefined
        ? whole
        : JSON.stringify(String.fromCodePoint(Number.parseInt(long ?? short ?? "0", 16))).slice(1, -1),
    )
    .replaceAll(/\\e|\\\\/g, (whole) => (whole === "\\e" ? "\\u001b" : whole))
    .replaceAll("\t", "\\t");
  return JSON.parse(json) as string;
}
