/** How a simulated command ended. */
import type { CommandOutcome } from "@vigie/agent";

export function outcome(exitCode: number, stdout = "", stderr = ""): CommandOutcome {
  return { end: "exited", exitCode, stdout, stderr, truncated: false, durationMs: 1 };
}

export function notInstalled(file: string): CommandOutcome {
  const stderr = `spawn ${file} ENOENT`;
  return { end: "not-started", exitCode: -1, stdout: "", stderr, truncated: false, durationMs: 1 };
}

export function hung(): CommandOutcome {
  return { end: "hung", exitCode: -1, stdout: "", stderr: "", truncated: false, durationMs: 10_000 };
}

/** As node:fs rejects. */
export function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
