/**
 * /var/lib/ganeti/ssconf_*: what Ganeti tells every node of its cluster, one text file a key, one item a line.
 * Ganeti replaces each file as a whole, so a read is never half old; two files may be of two moments.
 */
import { isIP } from "node:net";
import { Source, VigieError, type Damaged, type NodeAddress, type SsconfFacts } from "@vigie/proto";
import type { Host } from "../host.js";
import { HOST_NAME } from "../names.js";
import { quote } from "./cursor.js";
import { isMissing, readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const FOLDER = "/var/lib/ganeti";
const KEYS = [
  "cluster_name",
  "cluster_tags",
  "master_candidates",
  "master_node",
  "node_list",
  "node_primary_ips",
  "node_secondary_ips",
  "offline_nodes",
  "release_version",
] as const;

type Key = (typeof KEYS)[number];

/** The text of each file; undefined where there is none. */
export type SsconfTexts = Readonly<Partial<Record<Key, string | undefined>>>;

const TAG = /^[\w.+*/:@-]{1,128}$/; // ganeti: VALID_TAG_RE
const VERSION = /^\d+\.\d+\.\d+\S{0,20}$/;

export const ssconf: SourceDefinition = {
  source: Source.SSCONF,
  periodMs: 5_000,
  deadlineMs: 2_000,
  read: (host) => readOrAbsent(() => read(host), "this node is in no Ganeti cluster"),
};

/**
 * The master's name, as this node's own file has it.
 * @throws VigieError SOURCE_FAILED where it is not there, or is no host name
 */
export async function readMasterNode(host: Host): Promise<string> {
  const path = `${FOLDER}/ssconf_master_node`;
  const text = await host.readFile(path).catch((cause: unknown) => {
    throw new VigieError("SOURCE_FAILED", `${path} could not be read`, { cause });
  });
  const [name, ...others] = linesOf(text);
  if (name !== undefined && others.length === 0 && HOST_NAME.test(name)) return name;
  throw new VigieError("SOURCE_FAILED", `${path} does not hold one host name`);
}

/** @returns what is understood; an item that is not is in `damaged`, under its file's name */
export function parseSsconf(texts: SsconfTexts): { facts: SsconfFacts; damaged: Damaged[] } {
  const damaged: Damaged[] = [];
  const list = (key: Key, shape: RegExp): string[] =>
    itemsOf(texts, key, damaged, (item) => shape.test(item));
  const single = (key: Key, shape: RegExp): string => onlyOne(list(key, shape), key, damaged);
  const facts: SsconfFacts = {
    clusterName: single("cluster_name", HOST_NAME),
    masterNode: single("master_node", HOST_NAME),
    nodeList: list("node_list", HOST_NAME),
    offlineNodes: list("offline_nodes", HOST_NAME),
    masterCandidates: list("master_candidates", HOST_NAME),
    addresses: addressesOf(texts, damaged),
    releaseVersion: single("release_version", VERSION),
    clusterTags: list("cluster_tags", TAG),
  };
  return { facts, damaged };
}

function itemsOf(
  texts: SsconfTexts,
  key: Key,
  damaged: Damaged[],
  valid: (item: string) => boolean,
): string[] {
  const text = texts[key];
  if (text === undefined) damaged.push(damage(key, 0, "there is no such file"));
  const items: string[] = [];
  for (const [index, item] of (text ?? "").split("\n").entries()) {
    if (item.trim() === "") continue;
    if (valid(item.trim())) items.push(item.trim());
    else damaged.push(damage(key, index + 1, `not understood: ${quote(item)}`));
  }
  return items;
}

function onlyOne(items: readonly string[], key: Key, damaged: Damaged[]): string {
  if (items.length === 1) return items[0] ?? "";
  damaged.push(damage(key, 0, `holds ${items.length} values, not one`));
  return "";
}

/** "h1.example 10.77.0.11" a line, in two files. A node keeps only the addresses that are given once. */
function addressesOf(texts: SsconfTexts, damaged: Damaged[]): NodeAddress[] {
  const primary = ipsOf(texts, "node_primary_ips", damaged);
  const secondary = ipsOf(texts, "node_secondary_ips", damaged);
  const nodes = [...new Set([...primary.keys(), ...secondary.keys()])].sort();
  return nodes.map((node) => ({
    node,
    primaryIp: primary.get(node) ?? "",
    secondaryIp: secondary.get(node) ?? "",
  }));
}

function ipsOf(texts: SsconfTexts, key: Key, damaged: Damaged[]): Map<string, string> {
  const ips = new Map<string, string>();
  for (const item of itemsOf(texts, key, damaged, isNodeAndIp)) {
    const [node = "", ip = ""] = item.split(/\s+/);
    if (ips.has(node)) damaged.push(damage(key, 0, `${node} is there twice`));
    ips.set(node, ips.has(node) ? "" : ip);
  }
  return ips;
}

function isNodeAndIp(item: string): boolean {
  const [node = "", ip = "", ...others] = item.split(/\s+/);
  return HOST_NAME.test(node) && isIP(ip) !== 0 && others.length === 0;
}

function damage(key: Key, line: number, reason: string): Damaged {
  return { line, reason, minor: undefined, object: `ssconf_${key}` };
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

async function read(host: Host): Promise<Reading> {
  const master = await host.readFile(`${FOLDER}/ssconf_master_node`); // missing: no node of a cluster
  const entries = await Promise.all(
    KEYS.map(async (key) => [key, key === "master_node" ? master : await textOf(host, key)] as const),
  );
  const { facts, damaged } = parseSsconf(Object.fromEntries(entries));
  return { state: "ok", facts: { $case: "ssconf", value: facts }, damaged };
}

async function textOf(host: Host, key: Key): Promise<string | undefined> {
  try {
    return await host.readFile(`${FOLDER}/ssconf_${key}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
