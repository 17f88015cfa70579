/**
 * The cuts of ours that stand now, as the kernel has them: the entries of the sets that link-fence.ts fills. Spawns
 * a child, so it is read every 5 s only; who makes or takes a cut reads it anew at once.
 */
import { isIP } from "node:net";
import { Source, type Damaged, type LinkCut } from "@vigie/proto";
import type { Host } from "../host.js";
import { CUT_SETS, listCuts } from "../link-fence.js";
import { quote } from "./cursor.js";
import { absentTool, commandFailed, runToEnd } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const ENTRY = /^add \S+ (?<address>[^,\s]+),tcp:(?<port>\d{1,5})(?<options>(?: .*)?)$/;
const TIMEOUT = / timeout (?<seconds>\d{1,10})(?: |$)/;
const COMMENT = / comment "(?<text>[^"]*)"/;
const NO_SET = "The set with the given name does not exist";

export const linkCuts: SourceDefinition = {
  source: Source.LINK_CUTS,
  periodMs: 5_000,
  deadlineMs: 4_000,
  read: (host) => absentTool(() => read(host), "ipset is not installed"),
};

/**
 * `ipset list SET -output save`: `add vigie-cut 10.77.0.12,tcp:11000 timeout 27 comment "r-7"`.
 *
 * @returns an entry that is not so, or has no end, is damaged: it may cut something, and nobody knows for how long
 */
export function parseIpsetSave(text: string): { cuts: LinkCut[]; damaged: Damaged[] } {
  const cuts: LinkCut[] = [];
  const damaged: Damaged[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("create ")) continue;
    const cut = parseEntry(line);
    if (cut !== undefined) cuts.push(cut);
    else
      damaged.push({
        line: index + 1,
        reason: `not understood: ${quote(line)}`,
        minor: undefined,
        object: "",
      });
  }
  return { cuts, damaged };
}

function parseEntry(line: string): LinkCut | undefined {
  const { address = "", port = "", options = "" } = ENTRY.exec(line)?.groups ?? {};
  const seconds = TIMEOUT.exec(options)?.groups?.["seconds"];
  const portNumber = Number(port);
  if (isIP(address) === 0 || portNumber < 1 || portNumber > 65_535 || seconds === undefined) return undefined;
  const runId = COMMENT.exec(options)?.groups?.["text"] ?? "";
  return { peerAddress: address, port: portNumber, expiresInS: Number(seconds), runId };
}

async function read(host: Host): Promise<Reading> {
  const cuts: LinkCut[] = [];
  const damaged: Damaged[] = [];
  for (const set of CUT_SETS) {
    const parsed = parseIpsetSave(await list(host, set));
    cuts.push(...parsed.cuts);
    damaged.push(...parsed.damaged.map((item) => ({ ...item, object: set })));
  }
  return {
    state: "ok",
    facts: { $case: "linkCuts", value: { cuts, backend: await backendOf(host) } },
    damaged,
  };
}

/** A set that does not exist holds no cut. */
async function list(host: Host, set: string): Promise<string> {
  const command = listCuts(set);
  const outcome = await runToEnd(host, command);
  if (outcome.exitCode === 0) return outcome.stdout;
  if (outcome.stderr.includes(NO_SET)) return "";
  throw commandFailed(command, outcome);
}

/** Debian's alternatives say which of the two iptables fills the rules. */
async function backendOf(host: Host): Promise<string> {
  const target = await host.readLink("/etc/alternatives/iptables").catch(() => "iptables");
  return `${target.slice(target.lastIndexOf("/") + 1)} + ipset`;
}
