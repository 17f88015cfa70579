/**
 * The guests that run on this node, by the files and processes of its hypervisor: not what Ganeti wants, but what is.
 * A pid file whose process lives and is not understood to be that guest is damaged, and not "nothing runs" (I11).
 */
import { explain, Source, VigieError, type Damaged, type Guest } from "@vigie/proto";
import type { Host } from "../host.js";
import { HOST_NAME } from "../names.js";
import { quote, refuse } from "./cursor.js";
import { isMissing, runForOutput } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const KVM = "/var/run/ganeti/kvm-hypervisor/pid";
const FAKE = "/var/run/ganeti/fake-hypervisor"; // of Ganeti's own tests, and of our lab: a file for each guest
const XEN = "/proc/xen/capabilities"; // "control_d" on the host that runs the others
const ENABLED = "/var/lib/ganeti/ssconf_hypervisor_list";
const SEEN_HERE: ReadonlySet<string> = new Set(["kvm", "fake", "xen-pvm", "xen-hvm"]);
const XL_LIST = { file: "/usr/sbin/xl", args: ["list"], timeoutMs: 5_000 };

export const guests: SourceDefinition = {
  source: Source.GUESTS,
  periodMs: 10_000,
  deadlineMs: 8_000,
  read,
};

interface Found {
  readonly guests: Guest[];
  readonly damaged: Damaged[];
}

async function read(host: Host): Promise<Reading> {
  const found = [await kvmGuests(host), await fakeGuests(host), await xenGuests(host)].filter(
    (each) => each !== undefined,
  );
  if (found.length === 0) return readWithoutTraces(host);
  const all = found.flatMap((each) => each.guests);
  const value = { guests: all.sort((a, b) => (a.instance < b.instance ? -1 : 1)) };
  return { state: "ok", facts: { $case: "guests", value }, damaged: found.flatMap((each) => each.damaged) };
}

/**
 * Ganeti makes its hypervisors' folders, which a reboot removes, when it first uses them: a node that came back and is
 * still offline has none, and runs nothing. That is known only where each hypervisor of the cluster would be seen here.
 */
async function readWithoutTraces(host: Host): Promise<Reading> {
  const enabled = (await textOf(host, ENABLED))?.split("\n").filter((line) => line !== "") ?? [];
  const unseen = enabled.filter((hypervisor) => !SEEN_HERE.has(hypervisor));
  if (unseen.length > 0)
    return { state: "absent", reason: `what runs under ${unseen.join(", ")} is not seen by this agent` };
  if (enabled.length === 0) return { state: "absent", reason: "no hypervisor of Ganeti's is on this node" };
  return { state: "ok", facts: { $case: "guests", value: { guests: [] } }, damaged: [] };
}

async function kvmGuests(host: Host): Promise<Found | undefined> {
  const names = await namesIn(host, KVM);
  return names && each(names, (name) => kvmGuest(host, name));
}

/** Ganeti leaves the pid file of a guest that was powered off from within. */
async function kvmGuest(host: Host, instance: string): Promise<Guest | undefined> {
  const text = await textOf(host, `${KVM}/${instance}`);
  if (text === undefined) return undefined; // it ended meanwhile
  const pid = /^\s*(\d{1,9})\s*$/.exec(text)?.[1];
  if (pid === undefined) return refuse(`its pid file holds ${quote(text)}`);
  const commandLine = await textOf(host, `/proc/${pid}/cmdline`);
  if (commandLine === undefined || commandLine === "") return undefined; // no such process, or a dead one
  if (!isNamed(commandLine.split("\0"), instance)) return refuse(`process ${pid} is not known to be it`);
  return { instance, hypervisor: "kvm", pid: Number(pid) };
}

/** `-name web1.example`, or `-name web1.example,debug-threads=on`. */
function isNamed(args: readonly string[], instance: string): boolean {
  const name = args[args.indexOf("-name") + 1] ?? "";
  return args.includes("-name") && (name === instance || name.startsWith(`${instance},`));
}

async function fakeGuests(host: Host): Promise<Found | undefined> {
  const names = await namesIn(host, FAKE);
  return names && each(names, async (instance) => ({ instance, hypervisor: "fake", pid: 0 }));
}

async function xenGuests(host: Host): Promise<Found | undefined> {
  const capabilities = await textOf(host, XEN);
  if (capabilities?.includes("control_d") !== true) return undefined;
  const names = parseXlList(await runForOutput(host, XL_LIST));
  return each(names, async (instance) => ({ instance, hypervisor: "xen", pid: 0 }));
}

/**
 * "Name ID Mem VCPUs State Time(s)", a line for each domain; Domain-0 is the host itself.
 * @throws VigieError PARSE_FAILED
 */
export function parseXlList(text: string): string[] {
  const [heading = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  if (!/^Name\s+ID\s/.test(heading)) return refuse("xl list has no heading");
  const names = lines.map((line) => /^(\S+)\s+\d+\s/.exec(line)?.[1] ?? refuse("a line of xl list is cut"));
  return names.filter((name) => name !== "Domain-0");
}

async function each(
  names: readonly string[],
  guestOf: (name: string) => Promise<Guest | undefined>,
): Promise<Found> {
  const found: Found = { guests: [], damaged: [] };
  for (const name of names.toSorted()) {
    try {
      if (!HOST_NAME.test(name)) refuse("the name is no instance's");
      const guest = await guestOf(name);
      if (guest !== undefined) found.guests.push(guest);
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      found.damaged.push({ line: 0, reason: explain(error), minor: undefined, object: name });
    }
  }
  return found;
}

async function namesIn(host: Host, folder: string): Promise<string[] | undefined> {
  return host.listFolder(folder).catch(unlessMissing(folder));
}

async function textOf(host: Host, path: string): Promise<string | undefined> {
  return host.readFile(path).catch(unlessMissing(path));
}

function unlessMissing(path: string): (error: unknown) => undefined {
  return (cause) => {
    const gone = isMissing(cause) || (cause instanceof Error && "code" in cause && cause.code === "ESRCH");
    if (!gone) throw new VigieError("SOURCE_FAILED", `${path} could not be read`, { cause });
    return undefined;
  };
}
