/**
 * The syntax that `drbdsetup show` prints: statements of words ended by `;`, sections in braces, `#` comments. The
 * values of statements never go into a reason, and secrets are dropped here, before anything reads the tree.
 */
import { refuse } from "./cursor.js";

export interface Statement {
  readonly line: number;
  readonly words: readonly string[];
  readonly body: Statement[] | undefined; // of a section
}

const TOKEN = /[ \t\r]+|#[^\n]*|(\n)|([{};])|"((?:[^"\\\n]|\\.)*)"|([^\s{};"#]+)/y;
const SECRETS: ReadonlySet<string> = new Set(["shared-secret"]);
const MAX_DEPTH = 16;

/**
 * @param firstLine of the text in its file
 * @throws VigieError PARSE_FAILED: a character that is no token, a section that does not end
 */
export function parseStatements(text: string, firstLine: number): Statement[] {
  const root: Statement[] = [];
  const open = [root];
  let line = firstLine;
  let words: string[] = [];
  let wordsLine = line;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text);
    if (token === null) return refuse(`line ${line} holds what is no word`);
    const [, lineEnd, mark, quoted, plain] = token;
    if (lineEnd !== undefined) line++;
    const word = quoted ?? plain;
    if (word !== undefined) {
      if (words.length === 0) wordsLine = line;
      words.push(word);
    }
    if (mark === undefined) continue;
    takeMark(open, mark, words, wordsLine);
    words = [];
  }
  if (open.length !== 1 || words.length > 0) refuse("it is cut");
  return root;
}

function takeMark(open: Statement[][], mark: string, words: readonly string[], line: number): void {
  const current = open.at(-1) ?? refuse(`line ${line} ends a section that did not begin`);
  if (mark === ";") return add(current, { line, words, body: undefined });
  if (mark === "{") {
    const body: Statement[] = [];
    add(current, { line, words, body });
    open.push(body);
    if (open.length > MAX_DEPTH) refuse(`line ${line} begins too deep a section`);
    return;
  }
  if (words.length > 0 || open.length === 1) refuse(`line ${line} ends a section in the wrong place`);
  open.pop();
}

function add(statements: Statement[], statement: Statement): void {
  const [key] = statement.words;
  if (key === undefined) refuse(`line ${statement.line} has a mark without a word`);
  if (!SECRETS.has(key)) statements.push(statement);
}

/** Sections of that name. */
export function sections(statements: readonly Statement[], name: string): Statement[] {
  return statements.filter(({ words, body }) => words[0] === name && body !== undefined);
}

/** The words behind `key`; undefined where it is not set. @throws VigieError where it is set twice */
export function valueOf(statements: readonly Statement[], key: string): readonly string[] | undefined {
  const set = statements.filter(({ words, body }) => words[0] === key && body === undefined);
  if (set.length > 1) refuse(`${key} is set twice`);
  return set[0]?.words.slice(1).filter((word) => word !== "_is_default");
}
