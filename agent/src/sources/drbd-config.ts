/**
 * `drbdsetup show`: which volume, port and peer each minor has in the kernel now. Identity is checked against it
 * before a link is cut (I13), so what is not understood is damaged, never guessed. Shared secrets are dropped while
 * parsing.
 */
import { Source, VigieError, type Damaged, type DrbdConfig } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { refuse } from "./cursor.js";
import { netConfigOf } from "./drbd-config-net.js";
import { parseStatements, sections, valueOf, type Statement } from "./drbd-config-syntax.js";
import { parsedOnce, readOrAbsent, runForOutput } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const SHOW: Command = { file: "/usr/sbin/drbdsetup", args: ["show"], timeoutMs: 4_000 };
const MAX_MINOR = 2 ** 20 - 1;

export function drbdConfig(): SourceDefinition {
  const parse = parsedOnce(parseDrbdsetupShow);
  return {
    source: Source.DRBD_CONFIG,
    periodMs: 10_000,
    deadlineMs: 5_000,
    read: (host) => readOrAbsent(() => read(host, parse), "the drbd module is not loaded"),
  };
}

export interface DrbdConfigText {
  resources: DrbdConfig[];
  damaged: Damaged[];
}

/** One resource's text, so that a broken one leaves the next alone. */
interface Chunk {
  readonly line: number;
  readonly text: string;
}

/**
 * Parse `drbdsetup show` of 8.4 and 9 (`resource NAME { … }`, any number of them), or of 8.0 to 8.3 (one minor
 * without a name).
 *
 * @returns one entry a volume; a resource that is not understood is in `damaged` under its name, and with its minor
 *   where the text tells it
 */
export function parseDrbdsetupShow(text: string): DrbdConfigText {
  const resources: DrbdConfig[] = [];
  const damaged: Damaged[] = [];
  for (const chunk of chunksOf(text)) {
    try {
      resources.push(...parseChunk(chunk));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: chunk.line, reason: error.message, ...whoseIs(chunk) });
    }
  }
  return withoutDoubles(resources, damaged);
}

// 8.4 and 9 begin each resource in the first column; "r" alone is one that is cut. No section of 8.3 begins so.
const BEFORE_RESOURCE = /^(?=resource\s)|(?<=^\}\r?\n)(?=r)/m;

function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let line = 1;
  for (const part of text.split(BEFORE_RESOURCE)) {
    if (part.split("\n").some(isText)) chunks.push({ line, text: part });
    line += part.split("\n").length - 1;
  }
  return chunks;
}

function isText(line: string): boolean {
  const text = line.trim();
  return text !== "" && !text.startsWith("#");
}

function parseChunk({ text, line }: Chunk): DrbdConfig[] {
  const statements = parseStatements(text, line);
  const [first] = statements;
  if (first?.words[0] !== "resource") return volumesOf("", statements);
  if (statements.length > 1) refuse("there is text behind the resource");
  const [, name] = first.words;
  if (name === undefined || first.words.length > 2 || first.body === undefined)
    return refuse("it has no name");
  return volumesOf(name, first.body);
}

function volumesOf(resource: string, body: readonly Statement[]): DrbdConfig[] {
  const net = netConfigOf(body);
  const hosts = sections(body, "_this_host");
  const [host] = hosts;
  if (host?.body === undefined || hosts.length > 1) return refuse("there is not one _this_host section");
  const volumes = sections(host.body, "volume").map((volume) => volume.body ?? []);
  return (volumes.length > 0 ? volumes : [host.body]).map((volume) => ({
    resource,
    minor: minorOf(volume),
    backingDevice: deviceOf(valueOf(volume, "disk")),
    metaDevice: deviceOf(valueOf(volume, "meta-disk") ?? valueOf(volume, "flexible-meta-disk")),
    ...net,
  }));
}

/** `device minor 0;`, or up to 8.2 `device "/dev/drbd0";`. */
function minorOf(volume: readonly Statement[]): number {
  const device = (valueOf(volume, "device") ?? []).join(" ");
  const digits = /^(?:minor |\/dev\/drbd)(?<minor>\d{1,7})$/.exec(device)?.groups?.["minor"];
  const minor = Number(digits ?? Number.NaN);
  return minor <= MAX_MINOR ? minor : refuse("the device is not understood");
}

/** `"/dev/vg/lv" [ 0 ]` where the metadata has an index; `internal`; nothing while Diskless. */
function deviceOf(words: readonly string[] | undefined): string {
  const path = words?.[0] ?? "";
  if (path === "" || path === "internal" || path === "none") return path === "none" ? "" : path;
  return path.startsWith("/dev/") ? path : refuse("a backing device is not below /dev");
}

/** What can be told of a damaged resource: its name, and its minor if it names only one. */
function whoseIs({ text }: Chunk): Pick<Damaged, "minor" | "object"> {
  const name = /^resource\s+"?([\w.+-]{1,128})"?\s*\{/.exec(text)?.[1];
  const minors = [...text.matchAll(/^[ \t]*device[ \t]+(?:minor[ \t]+|"\/dev\/drbd)(\d{1,7})"?[ \t]*;/gm)];
  return { minor: minors.length === 1 ? Number(minors[0]?.[1]) : undefined, object: name ?? "" };
}

/** A minor or a name that is there twice: neither is believed. */
function withoutDoubles(resources: readonly DrbdConfig[], damaged: readonly Damaged[]): DrbdConfigText {
  const count = new Map<number, number>();
  for (const { minor } of [...resources, ...damaged]) {
    if (minor !== undefined) count.set(minor, (count.get(minor) ?? 0) + 1);
  }
  const isDouble = ({ minor }: DrbdConfig): boolean => (count.get(minor) ?? 0) > 1;
  const doubles = resources.filter(isDouble).map(({ minor, resource }) => ({
    line: 0,
    reason: `minor ${minor} is configured twice`,
    minor,
    object: resource,
  }));
  return { resources: resources.filter((each) => !isDouble(each)), damaged: [...damaged, ...doubles] };
}

async function read(host: Host, parse: typeof parseDrbdsetupShow): Promise<Reading> {
  await host.readFile("/proc/drbd"); // missing: drbdsetup would load the module, and a reading changes nothing
  const { resources, damaged } = parse(await runForOutput(host, SHOW));
  return { state: "ok", facts: { $case: "drbdConfig", value: { resources } }, damaged };
}
