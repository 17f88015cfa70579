/**
 * What a node needs for its own work: room in the filesystems of its system, Ganeti's daemons, and Ganeti's
 * certificates. Every minute, for none of it is over in less.
 */
import { X509Certificate } from "node:crypto";
import {
  explain,
  Source,
  VigieError,
  type Damaged,
  type FilesystemRoom,
  type GanetiCertificate,
  type GanetiDaemon,
} from "@vigie/proto";
import type { Host } from "../host.js";
import { isMissing } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";
import { readMasterNode } from "./ssconf.js";

const GANETI = "/var/lib/ganeti";
const RUN = "/var/run/ganeti";
const FOLDERS = ["/", GANETI, "/var/log"];
/** Server: between the nodes; client: of a node towards the others, since Ganeti 2.12; rapi: for tools. */
const CERTIFICATES = ["server.pem", "client.pem", "rapi.pem"];
const EVERYWHERE = ["ganeti-noded"];
const AT_MASTER = ["ganeti-luxid", "ganeti-wconfd"];
const DAY_MS = 86_400_000;

/** The files hold a private key as well, which nothing here looks at. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;
const PID = /^\d{1,10}\s*$/;

/** @param nodeName this node's, as Ganeti knows it */
export function nodeHealth(nodeName: string): SourceDefinition {
  return {
    source: Source.NODE_HEALTH,
    periodMs: 60_000,
    deadlineMs: 5_000,
    read: (host) => read(host, nodeName),
  };
}

async function read(host: Host, nodeName: string): Promise<Reading> {
  const damaged: Damaged[] = [];
  /** Each by itself: one that cannot be read costs nothing else. */
  const each = async <T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<T[]> => {
    const all: T[] = [];
    for (const name of names) {
      try {
        all.push(await ask(name));
      } catch (error) {
        if (!isMissing(error))
          damaged.push({ line: 0, reason: explain(error), minor: undefined, object: name });
      }
    }
    return all;
  };
  const filesystems = await each(FOLDERS, (path) => roomAt(host, path));
  const daemons = await each(await daemonsOf(host, nodeName), (name) => daemonOf(host, name));
  const certificates = await each(CERTIFICATES, async (name) =>
    certificateOf(name, await host.readFile(`${GANETI}/${name}`), host.wallUnixMs()),
  );
  if (filesystems.length === 0 && damaged.length === 0) return { state: "absent", reason: "there is no /" };
  const value = { filesystems, daemons, certificates };
  return { state: "ok", facts: { $case: "nodeHealth", value }, damaged };
}

async function roomAt(host: Host, path: string): Promise<FilesystemRoom> {
  return { path, ...(await host.statFilesystem(path)) };
}

/** Which belong on this node; none where it is in no cluster. */
async function daemonsOf(host: Host, nodeName: string): Promise<readonly string[]> {
  const master = await readMasterNode(host).catch(() => ""); // the source of ssconf says what is wrong with it
  if (master === "") return [];
  return master === nodeName ? [...EVERYWHERE, ...AT_MASTER] : EVERYWHERE;
}

/** Its file may be older than a boot: the process of that number must be this daemon. */
async function daemonOf(host: Host, name: string): Promise<GanetiDaemon> {
  try {
    const pid = await host.readFile(`${RUN}/${name}.pid`);
    if (!PID.test(pid)) throw new VigieError("PARSE_FAILED", `${name}.pid does not hold one number`);
    const argv = await host.readFile(`/proc/${Number(pid)}/cmdline`);
    return { name, running: argv.split("\0").some((word) => word.endsWith(`/${name}`)) };
  } catch (error) {
    if (isMissing(error) || isGone(error)) return { name, running: false };
    throw error;
  }
}

/** It ended while it was read. */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}

/** @throws VigieError PARSE_FAILED */
export function certificateOf(name: string, text: string, nowUnixMs: number): GanetiCertificate {
  const [pem] = CERTIFICATE.exec(text) ?? [];
  if (pem === undefined) throw new VigieError("PARSE_FAILED", `${name} holds no certificate`);
  try {
    const { fingerprint256, validTo } = new X509Certificate(pem);
    const daysLeft = Math.floor((Date.parse(validTo) - nowUnixMs) / DAY_MS);
    return { name, sha256: fingerprint256, daysLeft };
  } catch {
    throw new VigieError("PARSE_FAILED", `the certificate in ${name} is not understood`);
  }
}
