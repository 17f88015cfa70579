/** The machine's own package sources, as the lab's root file system is to use them. */
import { existsSync, readFileSync } from "node:fs";
import { runHost } from "../host/exec.js";
import { refreshPackageLists } from "../host/packages.js";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";

export interface PackageSources {
  readonly codename: string; // the release of this machine, which the nodes run too
  readonly lines: readonly string[]; // in the manner of sources.list
}

/** Debian's own archives only: what else this machine installs from is not the nodes' business. */
export async function packageSources(): Promise<PackageSources> {
  const lines = (await debianTargets()) ?? (await refreshPackageLists().then(debianTargets));
  if (lines === undefined) throw new Error("apt knows no source of Debian packages");
  return { codename: codename(), lines };
}

async function debianTargets(): Promise<string[] | undefined> {
  const argv = ["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"];
  const { stdout } = await runHost(argv);
  const option = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
  const lines = new Set<string>();
  for (const target of stdout.split("\n")) {
    const [uri, release, component, origin] = target.split(" ");
    if (origin === "Debian") lines.add(`deb ${option}${String(uri)} ${String(release)} ${String(component)}`);
  }
  return lines.size === 0 ? undefined : [...lines];
}

function codename(): string {
  const found = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  if (found === undefined) throw new Error("/etc/os-release names no VERSION_CODENAME");
  return found;
}
