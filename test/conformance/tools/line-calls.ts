/** Functions of a program elsewhere, called over its stdin and stdout: a call a line, an answer a line. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";

type Answer = { readonly id: number } & (
  { readonly value: unknown } | { readonly message: string; readonly code: string | undefined }
);

export interface Callee {
  /** @throws Error with the message and the code of the one that was thrown there */
  readonly call: <T>(method: string, ...args: readonly unknown[]) => Promise<T>;
  readonly end: () => Promise<void>;
}

/** @param argv starts the program there; it ends when its input does */
export function connectCallee(argv: readonly string[]): Callee {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;

  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void ended.then(() => {
    for (const [id, settle] of waiting) settle({ id, message: `${file} ended`, code: undefined });
  });
  child.stdin.on("error", () => undefined); // it ended: who waits is told

  return {
    call: async <T>(method: string, ...parameters: readonly unknown[]): Promise<T> => {
      const id = ++last;
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      child.stdin.write(`${JSON.stringify({ id, method, args: parameters })}\n`);
      const answer = await answered;
      if ("message" in answer) throw Object.assign(new Error(answer.message), { code: answer.code });
      return answer.value as T;
    },
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** A file beside this one as one file, for the Node.js of a node. */
export async function bundleCallee(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "vigie-tools-"));
  const outfile = join(folder, "callee.cjs");
  try {
    await build({
      entryPoints: [join(import.meta.dirname, name)],
      outfile,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node24",
    });
    return readFileSync(outfile, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
