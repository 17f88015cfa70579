/**
 * The Debian releases that the lab's nodes run: their kernel, DRBD, LVM, Ganeti and tools. Each has a cache of its own,
 * and either runs on a host of either release.
 */
import { readFileSync } from "node:fs";
import { LabProblem } from "./problem.js";

export const SUITES = ["bookworm", "trixie"] as const; // Debian 12 and 13
export type Suite = (typeof SUITES)[number];

const HOW = `say --suite ${SUITES.join(" or --suite ")}, or set VIGIE_LAB_SUITE`;

/**
 * @param named of the command line; else VIGIE_LAB_SUITE, else the host's own release
 * @throws LabProblem for a release that the lab does not know
 */
export function wantedSuite(named?: string): Suite {
  const asked = named ?? nonEmpty(process.env["VIGIE_LAB_SUITE"]);
  if (asked !== undefined) return knownSuite(asked, `the lab knows no Debian release "${asked}"`);
  const own = hostRelease();
  return knownSuite(
    own,
    `the lab cannot run nodes of this machine's own release (${own || "it names none"})`,
  );
}

/** VERSION_CODENAME of /etc/os-release; empty where it names none. */
export function hostRelease(): string {
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
}

function knownSuite(text: string, problem: string): Suite {
  const found = SUITES.find((suite) => suite === text);
  if (found === undefined) throw new LabProblem(problem, HOW);
  return found;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
