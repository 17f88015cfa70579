/** Where the packages of a Debian release come from: the machine's own mirrors, which carry the other releases too. */
import { existsSync } from "node:fs";
import { runHost } from "../host/exec.js";
import { refreshPackageLists } from "../host/packages.js";
import { LabProblem } from "../host/problem.js";
import type { Suite } from "../host/suite.js";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"; // holds the keys of older and newer releases
const FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";
const POCKET = /^[a-z]+(?<pocket>|-updates|-security)$/; // no backports, and no proposed updates

/**
 * Debian's own archives only: what else this machine installs from is not the nodes' business.
 * @returns lines in the form of sources.list, of the suite
 */
export async function packageSources(suite: Suite): Promise<readonly string[]> {
  let lines = sourcesOf(suite, await debianTargets());
  if (lines.length === 0) {
    await refreshPackageLists();
    lines = sourcesOf(suite, await debianTargets());
  }
  if (lines.length > 0) return lines;
  throw new LabProblem(
    "apt knows no source of Debian packages",
    "name a Debian mirror in /etc/apt/sources.list.d and run apt-get update",
  );
}

/** What apt has fetched lists from: "URI SUITE COMPONENT ORIGIN" a line. */
async function debianTargets(): Promise<string> {
  return (await runHost(["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"])).stdout;
}

/** The machine's sources with its own release's name replaced: "bookworm-security" becomes "trixie-security". */
export function sourcesOf(suite: Suite, targets: string, keyring = existsSync(KEYRING)): readonly string[] {
  const option = keyring ? `[signed-by=${KEYRING}] ` : "";
  const lines = targets.split("\n").flatMap((target) => {
    const [uri = "", release = "", component, origin] = target.split(" ");
    const pocket = POCKET.exec(release)?.groups?.["pocket"];
    if (origin !== "Debian" || component !== "main" || pocket === undefined) return [];
    return [`deb ${option}${uri} ${suite}${pocket} main`];
  });
  return [...new Set(lines)];
}
