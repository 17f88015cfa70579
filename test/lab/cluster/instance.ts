/** Instances of the lab: small DRBD disks and a hypervisor that only says that it runs them. */
import type { Lab } from "../lab.js";
import type { NodeName } from "../nodes.js";
import { instanceDisk, instanceNames, masterNode, type InstanceDisk } from "./configuration.js";
import { waitForMinor } from "./drbd.js";

export interface NewInstance {
  readonly primary: NodeName;
  readonly secondary: NodeName;
  readonly sizeMib?: number; // 64 when absent; each disk takes 128 more for DRBD's metadata, of 768 a node
  readonly start?: boolean; // true when absent
}

const JOB_TIMEOUT_MS = 240_000;

/** Create a DRBD instance and wait until both copies are UpToDate; about 15 s. */
export async function createInstance(lab: Lab, name: string, wanted: NewInstance): Promise<InstanceDisk> {
  const size = String(wanted.sizeMib ?? 64);
  const nodes = [wanted.primary, wanted.secondary].map((node) => lab.node(node).fqdn).join(":");
  const options = [
    "-t drbd",
    `-n ${nodes}`,
    "-o lab+default",
    `--disk 0:size=${size}M`,
    "-B memory=64M,vcpus=1",
    "--net 0:mode=bridged,link=br-gnt",
    "--no-install",
    "--no-ip-check",
    "--no-name-check",
    "--no-wait-for-sync",
    wanted.start === false ? "--no-start" : "",
  ];
  const master = await masterNode(lab);
  await master.run(`gnt-instance add ${options.join(" ")} ${name}`, { timeoutMs: JOB_TIMEOUT_MS });
  const disk = await instanceDisk(lab, name);
  await waitForHealthy(lab, disk);
  return disk;
}

const HOME = { primary: "h2", secondary: "h3" } as const;

/** The instance if it exists, wherever it is, else a new one on h2 and h3. */
export async function ensureInstance(lab: Lab, name: string): Promise<InstanceDisk> {
  if ((await instanceNames(lab)).includes(name)) return instanceDisk(lab, name);
  return createInstance(lab, name, HOME);
}

/** A proof may have left it on its other node. */
export async function bringHome(lab: Lab, disk: InstanceDisk): Promise<InstanceDisk> {
  if (disk.primary.node === HOME.primary) return disk;
  await waitForHealthy(lab, disk);
  const master = await masterNode(lab);
  await master.run(`gnt-instance failover -f ${disk.instance}`, { timeoutMs: JOB_TIMEOUT_MS });
  return instanceDisk(lab, disk.instance);
}

/** Safe to run twice. */
export async function removeInstance(lab: Lab, name: string): Promise<void> {
  if (!(await instanceNames(lab)).includes(name)) return;
  const master = await masterNode(lab);
  await master.run(`gnt-instance remove -f --ignore-failures ${name}`, { timeoutMs: JOB_TIMEOUT_MS });
}

/** Attach what is detached and connect what is not, as Ganeti does it. */
export async function activateDisks(lab: Lab, name: string): Promise<void> {
  const master = await masterNode(lab);
  await master.run(`gnt-instance activate-disks ${name}`, { timeoutMs: JOB_TIMEOUT_MS });
}

/** Both ends Connected and UpToDate, nothing out of sync. */
export async function waitForHealthy(lab: Lab, disk: InstanceDisk, timeoutMs = 120_000): Promise<void> {
  const healthy = "cs:Connected ro:[A-Za-z/]+ ds:UpToDate/UpToDate";
  await Promise.all(
    [disk.primary, disk.secondary].map((side) => waitForMinor(lab, side, healthy, timeoutMs)),
  );
}

/**
 * The digest of each copy, read below DRBD. Equal when the mirror is in sync and nobody writes.
 *
 * @returns MD5 in hexadecimal, which is quick and guards against accidents only
 */
export async function contentHash(lab: Lab, name: string): Promise<{ primary: string; secondary: string }> {
  const disk = await instanceDisk(lab, name);
  const hash = async (node: NodeName): Promise<string> => {
    const command = `sync; dd if=${disk.dataVolume} bs=1M iflag=direct status=none | md5sum`;
    return (await lab.node(node).run(command)).stdout.slice(0, 32);
  };
  const [primary, secondary] = await Promise.all([hash(disk.primary.node), hash(disk.secondary.node)]);
  return { primary, secondary };
}
