/** Builds a node's root file system: Debian's packages, the files of ../root, and what is made for this lab. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { aptFailures } from "../host/apt-failures.js";
import { runHost } from "../host/exec.js";
import { explaining } from "../host/problem.js";
import type { Suite } from "../host/suite.js";
import { hostsFile } from "../nodes.js";
import { MASKED_UNITS, NODE_PACKAGES } from "./packages.js";
import { moveModules } from "./kernel-root.js";
import { packageSources } from "./sources.js";

const BOOTSTRAP_TIMEOUT_MS = 600_000;
const OVERLAY = join(import.meta.dirname, "..", "root");
const NO_MANUALS = ["man", "doc", "info", "locale"].map((name) => `path-exclude=/usr/share/${name}/*`);

export interface RootIngredients {
  readonly keyFile: string; // the lab's private ssh key; the public one is beside it
  readonly nodeBinary: string; // Node.js for Vigie's programs inside the nodes
}

export async function bootstrap(folder: string, suite: Suite): Promise<void> {
  const lines = await packageSources(suite);
  const dpkg = ["force-unsafe-io", ...NO_MANUALS].map((option) => `--dpkgopt=${option}`);
  const apt = ['Apt::Install-Recommends "false"', 'Acquire::Languages "none"'].map(
    (option) => `--aptopt=${option}`,
  );
  const include = `--include=${NODE_PACKAGES.join(",")}`;
  const argv = [
    "mmdebstrap",
    "--variant=minbase",
    "--mode=root",
    ...apt,
    ...dpkg,
    include,
    suite,
    folder,
    ...lines,
  ];
  const failed = {
    problem: `the packages of Debian ${suite} could not be installed`,
    remedy: "see there why",
  };
  await explaining(aptFailures(suite), failed, () => runHost(argv, { timeoutMs: BOOTSTRAP_TIMEOUT_MS }));
}

/** Everything that the packages do not bring. */
export async function furnish(folder: string, ingredients: RootIngredients): Promise<void> {
  chmodSync(folder, 0o755); // it becomes /, which Ganeti's users must pass through
  moveModules(folder);
  cpSync(OVERLAY, folder, { recursive: true });
  writeFileSync(join(folder, "etc/hosts"), hostsFile());
  writeFileSync(join(folder, "etc/fstab"), "");
  writeFileSync(join(folder, "etc/resolv.conf"), "");
  maskUnits(folder);
  await enableUnits(folder);
  await useLegacyTables(folder);
  await addOrchestratorsUser(folder);
  await installKeys(folder, ingredients.keyFile);
  mkdirSync(join(folder, "usr/lib/vigie"), { recursive: true });
  copyFileSync(ingredients.nodeBinary, join(folder, "usr/lib/vigie/node"));
  chmodSync(join(folder, "usr/lib/vigie/node"), 0o755);
}

function maskUnits(folder: string): void {
  for (const unit of MASKED_UNITS) {
    const link = join(folder, "etc/systemd/system", unit);
    if (!existsSync(link)) symlinkSync("/dev/null", link);
  }
}

/** By the node's own systemctl: the host need not have one. */
async function enableUnits(folder: string): Promise<void> {
  const systemctl = ["chroot", folder, "systemctl", "--root=/", "--quiet"];
  await runHost([...systemctl, "enable", "lab-boot.service"]);
  await runHost([...systemctl, "set-default", "multi-user.target"]);
}

/** nf_tables has no ip family in the user-mode kernel. */
async function useLegacyTables(folder: string): Promise<void> {
  for (const tool of ["iptables", "ip6tables", "ebtables"]) {
    await runHost([
      "chroot",
      folder,
      "update-alternatives",
      "--quiet",
      "--set",
      tool,
      `/usr/sbin/${tool}-legacy`,
    ]);
  }
}

/** As its package would; made at the first installation, it would cost a starting node a second. */
async function addOrchestratorsUser(folder: string): Promise<void> {
  const home = ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];
  await runHost(["chroot", folder, "useradd", "--system", ...home, "vigie"]);
}

/** One host key pair and one user key for all: Ganeti expects root to reach every node. */
async function installKeys(folder: string, keyFile: string): Promise<void> {
  const ssh = join(folder, "etc/ssh");
  for (const name of readdirSync(ssh))
    if (name.startsWith("ssh_host_")) await runHost(["rm", join(ssh, name)]);
  for (const type of ["rsa", "ed25519"]) {
    await runHost(["ssh-keygen", "-q", "-t", type, "-N", "", "-f", join(ssh, `ssh_host_${type}_key`)]);
  }
  const root = join(folder, "root/.ssh");
  mkdirSync(root, { recursive: true, mode: 0o700 });
  copyFileSync(keyFile, join(root, "id_rsa"));
  copyFileSync(`${keyFile}.pub`, join(root, "id_rsa.pub"));
  copyFileSync(`${keyFile}.pub`, join(root, "authorized_keys"));
  for (const name of ["id_rsa", "authorized_keys"]) chmodSync(join(root, name), 0o600);
}
