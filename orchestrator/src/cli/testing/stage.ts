/**
 * The stage for tests of the whole command line: a folder with real certificates, a real grpc-js server on loopback
 * with mTLS and scripted answers, and a `vigie` that runs in this process and keeps what it printed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createAuthority, issueCertificate } from "../../ca/authority.js";
import { writeKeyPair } from "../../ca/files.js";
import { runCli } from "../cli.js";
import type { Io } from "../io.js";
import { NOW } from "./samples.js";
import { HAPPY, startServer, type Answers, type Asked } from "./server.js";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Stage {
  readonly folder: string;
  readonly port: number;
  readonly asked: Asked[]; // since the last reset
  readonly answers: Answers; // may be changed by a test
  /** Types a line; words are separated by single spaces. */
  readonly vigie: (line: string, over?: Partial<Io>) => Promise<Outcome>;
  /** Writes a configuration that differs from the good one; its path. */
  readonly config: (name: string, changes: Readonly<Record<string, string>>) => string;
  readonly reset: () => void;
  readonly close: () => void;
}

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "vigie-cli-"));
  const authority = await createAuthority();
  writeKeyPair(folder, "ca", authority);
  for (const [role, name] of [
    ["orchestrator", "localhost"],
    ["operator", "laurent"],
  ] as const) {
    writeKeyPair(folder, role, await issueCertificate(authority, { role, name, days: 1 }));
  }
  const asked: Asked[] = [];
  const answers: Answers = { ...HAPPY };
  const server = await startServer((name) => readFileSync(join(folder, name)), asked, answers);
  const config: Stage["config"] = (name, changes) => writeConfig(folder, server.port, name, changes);
  const good = config("vigie.toml", {});
  return {
    folder,
    port: server.port,
    asked,
    answers,
    vigie: (line, over = {}) => run(line, { env: { VIGIE_CONFIG: good }, ...over }),
    config,
    reset: () => {
      asked.length = 0;
      Object.assign(answers, HAPPY);
    },
    close: () => {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A person at a terminal who types this. */
export function terminal(typed: string): Partial<Io> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(typed);
  return { stdin, isTTY: true, columns: 100 };
}

/** Paths in it are relative to its folder. */
function writeConfig(
  folder: string,
  port: number,
  name: string,
  changes: Readonly<Record<string, string>>,
): string {
  const good = {
    server: `localhost:${port}`,
    ca: "ca.pem",
    certificate: "operator.pem",
    key: "operator.key",
  };
  const lines = Object.entries({ ...good, ...changes }).map(
    ([key, value]) => `${key} = ${JSON.stringify(value)}\n`,
  );
  const path = join(folder, name);
  writeFileSync(path, lines.join(""));
  return path;
}

async function run(line: string, over: Partial<Io>): Promise<Outcome> {
  const written = { out: "", err: "" };
  const io: Io = {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    stdin: new PassThrough(),
    env: {},
    isTTY: false,
    columns: undefined,
    now: () => NOW,
    hurry: 20,
    ...over,
  };
  const words = line.split(" ").filter((it) => it !== "");
  return { code: await runCli(words, io), ...written };
}
