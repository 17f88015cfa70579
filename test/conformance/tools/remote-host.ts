/** The agent's Host in another root or on another machine, through serve-host.ts there. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { realClock } from "@vigie/proto";
import type { Host } from "../../../agent/src/host.js";
import type { HostAnswer } from "./serve-host.js";

export interface RemoteHost {
  readonly host: Host;
  /** Programs that were started through it. */
  readonly started: ReadonlySet<string>;
  readonly end: () => Promise<void>;
}

/** serve-host.ts as one file, for the Node.js of a node. */
export async function bundleServer(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "vigie-tools-"));
  const outfile = join(folder, "serve-host.cjs");
  const entry = join(import.meta.dirname, "serve-host.ts");
  try {
    await build({
      entryPoints: [entry],
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

/** @param argv starts serve-host.ts there, and ends when its input does */
export function connectHost(argv: readonly string[]): RemoteHost {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (answer: HostAnswer) => void>();
  const started = new Set<string>();
  let last = 0;

  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as HostAnswer;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void ended.then(() => {
    for (const [id, settle] of waiting) settle({ id, message: `${file} ended`, code: undefined });
  });
  child.stdin.on("error", () => undefined); // it ended: who waits is told

  async function call<T>(method: keyof Host, ...parameters: readonly unknown[]): Promise<T> {
    const id = ++last;
    const answered = new Promise<HostAnswer>((resolve) => waiting.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ id, method, args: parameters })}\n`);
    const answer = await answered;
    if ("message" in answer) throw Object.assign(new Error(answer.message), { code: answer.code });
    return answer.value as T;
  }

  return {
    host: {
      ...realClock,
      readFile: (path) => call("readFile", path),
      listFolder: (path) => call("listFolder", path),
      readLink: (path) => call("readLink", path),
      writeFile: (path, text) => call("writeFile", path, text),
      run: (command) => {
        started.add(command.file);
        return call("run", command);
      },
      exchange: (...all) => call("exchange", ...all),
      claim: (path) => call("claim", path),
      openDevice: () => Promise.reject(new Error("a handle cannot be lent")),
      newKernelLogRecords: () => call("newKernelLogRecords"),
    },
    started,
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
}
