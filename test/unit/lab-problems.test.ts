/** Whatever fails in the lab is one sentence with what to do, and the failed program's words are kept. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aptFailures } from "../lab/host/apt-failures.js";
import { HostCommandFailed } from "../lab/host/exec.js";
import { alone } from "../lab/host/lock.js";
import { asProblem, explaining, LabProblem } from "../lab/host/problem.js";
import { identify } from "../lab/host/process-identity.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-lab-problems-"));
  vi.stubEnv("VIGIE_LAB_CACHE", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function failing(stderr: string): () => Promise<never> {
  return () => Promise.reject(new HostCommandFailed(["mmdebstrap"], { stdout: "", stderr, exitCode: 100 }));
}

const OTHERWISE = { problem: "the packages could not be installed", remedy: "see there why" };

async function sentence(stderr: string): Promise<string> {
  const error: unknown = await explaining(aptFailures("trixie"), OTHERWISE, failing(stderr)).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LabProblem);
  return (error as LabProblem).message;
}

describe("what apt says when it fails", () => {
  test.each([
    ["E: Write error - write (28: No space left on device)", "the disk is full"],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", "the disk is full"],
    [
      "W: GPG error: NO_PUBKEY 6ED0E7B82643E131",
      "this machine does not know the keys that sign Debian trixie",
    ],
    [
      "E: The repository 'http://x trixie Release' does not have a Release file.",
      "mirror has no Debian trixie",
    ],
    ["W: Failed to fetch http://x  Temporary failure resolving 'x'", "the Debian mirror cannot be reached"],
    ["E: Unable to connect to x:http: [IP: 192.0.2.1 80]", "the Debian mirror cannot be reached"],
    ["E: Could not get lock /var/lib/dpkg/lock-frontend.", "another apt or dpkg is at work"],
    ["E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", "an earlier installation"],
    ["E: Unable to locate package user-mode-linux", "Debian trixie has a package no more"],
    ["E: something new", "the packages could not be installed"],
  ])("%s", async (stderr, problem) => {
    const said = await sentence(`I: fetching\n${stderr}\nI: cleaning up\n`);
    expect(said).toContain(problem);
    expect(said).toContain(stderr); // the line that says why
    expect(said).not.toContain("\n");
  });

  test("all of it is in the file that the sentence names", async () => {
    const file = /all of it: (\S+)\)/.exec(await sentence("I: one\nE: two\n"))?.[1] ?? "";
    expect(readFileSync(file, "utf8")).toContain("I: one\nE: two\n");
  });
});

test("an error that nobody foresaw is a sentence too, and prints no stack", () => {
  const problem = asProblem(new TypeError("x is not a function"), "Ganeti cluster");
  expect(problem.stack).toBe(problem.message);
  expect(problem.message).toMatch(
    /^"Ganeti cluster" failed \(x is not a function; all of it: \S+\): try again, .*\.$/,
  );
  expect(readFileSync(join(folder, "last-failure.log"), "utf8")).toContain("lab-problems.test.ts");
});

describe("two that would bring the lab up at once", () => {
  const lock = (): string => join(folder, "lock");
  const work = (): Promise<string> => Promise.resolve("done");

  test("the second is refused while the first is alive", async () => {
    writeFileSync(lock(), JSON.stringify(identify(1)));
    await expect(alone(lock(), "brings the lab up", work)).rejects.toThrow(
      `process 1 brings the lab up at this moment: wait for it, or end it, and try again.`,
    );
  });

  test("one that died, or whose number is another's now, holds nothing", async () => {
    writeFileSync(lock(), JSON.stringify({ pid: process.ppid, startTicks: 1 }));
    await expect(alone(lock(), "brings the lab up", work)).resolves.toBe("done");
  });
});
