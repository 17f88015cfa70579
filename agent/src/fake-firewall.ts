/**
 * iptables and xt_recent of one node, for tests and the simulator: chains with their rules as they were given, and the
 * lists that come and go with the rules that name them. What a packet meets is not modelled, but whether a cut is in
 * effect: its chain is jumped to from INPUT and OUTPUT, and the peer was put into its list within the cut's time.
 */
import type { Command } from "./host.js";
import { cutOfList, HOOKS, listOf, LISTS, type TimedCut } from "./link-fence.js";

export interface FakeFirewall {
  /** @returns undefined: it is none of these tools */
  readonly run: (command: Command) => Answer | undefined;
  /** Undefined: there is no such folder or file. */
  readonly listFolder: (path: string) => string[] | undefined;
  readonly readFile: (path: string) => string | undefined;
  readonly writeFile: (path: string, text: string) => boolean;
  /** In effect now. */
  readonly cuts: () => readonly TimedCut[];
  /** As `iptables -S` prints them. */
  readonly rules: () => readonly string[];
  /** The power went. */
  readonly forget: () => void;
}

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param changed called with the cut that began or was ended before its time */
export function fakeFirewall(
  monotonicMs: () => number,
  changed: (cut: TimedCut, begun: boolean) => void = () => undefined,
): FakeFirewall {
  const chains = new Map<string, string[]>(); // "iptables INPUT" → its rules
  const putAtMs = new Map<string, number>(); // by list
  forget();

  return {
    run,
    listFolder,
    readFile,
    writeFile,
    cuts,
    rules: () => [...chains.keys()].flatMap(printed),
    forget,
  };

  function forget(): void {
    chains.clear();
    putAtMs.clear();
    for (const tool of ["iptables", "ip6tables"]) for (const hook of HOOKS) chains.set(`${tool} ${hook}`, []);
  }

  function run({ file, args }: Command): Answer | undefined {
    const tool = /^\/usr\/sbin\/(ip6?tables)$/.exec(file)?.[1];
    if (tool === undefined) return undefined;
    const before = cuts();
    const answer = obey(tool, args.slice(2)); // behind -w 3
    for (const name of putAtMs.keys()) if (!lists().includes(name)) putAtMs.delete(name);
    const after = new Set(cuts().map(listOf));
    for (const cut of before) if (!after.has(listOf(cut))) changed(cut, false);
    return answer;
  }

  function obey(tool: string, [verb = "", chain = "", ...rest]: readonly string[]): Answer {
    const key = `${tool} ${chain}`;
    const rules = chains.get(key);
    if (verb === "-S" && chain === "")
      return yes([...chains.keys()].filter((k) => k.startsWith(`${tool} `)).flatMap(printed));
    if (verb === "-N")
      return rules === undefined ? (chains.set(key, []), yes()) : no("Chain already exists.");
    if (rules === undefined) return no("No chain/target/match by that name.");
    const text = rest.join(" ");
    switch (verb) {
      case "-S":
        return yes(
          rest[0] === undefined ? printed(key) : printed(key).slice(Number(rest[0]), Number(rest[0]) + 1),
        );
      case "-C":
        return rules.includes(text) ? yes() : no("Bad rule (does a matching rule exist in that chain?).");
      case "-A":
        return (rules.push(text), yes());
      case "-I":
        return (rules.splice(Number(rest[0]) - 1, 0, rest.slice(1).join(" ")), yes());
      case "-D":
        return rules.includes(text) ? (rules.splice(rules.indexOf(text), 1), yes()) : no("Bad rule");
      case "-F":
        return ((rules.length = 0), yes());
      case "-X":
        return rules.length > 0 || isJumpedTo(tool, chain)
          ? no("Directory not empty.")
          : (chains.delete(key), yes());
      default:
        return no(`unknown option ${verb}`);
    }
  }

  function printed(key: string): string[] {
    const [, chain = ""] = key.split(" ");
    const head = HOOKS.some((hook) => hook === chain) ? `-P ${chain} ACCEPT` : `-N ${chain}`;
    return [head, ...(chains.get(key) ?? []).map((rule) => `-A ${chain} ${rule}`)];
  }

  function isJumpedTo(tool: string, chain: string): boolean {
    return HOOKS.some((hook) => chains.get(`${tool} ${hook}`)?.includes(`-j ${chain}`));
  }

  function lists(): string[] {
    const names = [...chains.values()].flat().flatMap((rule) => / --name (\S+) /.exec(rule)?.[1] ?? []);
    return [...new Set(names)];
  }

  function listFolder(path: string): string[] | undefined {
    return path === LISTS && lists().length > 0 ? lists() : undefined;
  }

  function readFile(path: string): string | undefined {
    const name = path.slice(LISTS.length + 1);
    if (!path.startsWith(LISTS) || !lists().includes(name)) return undefined;
    const atMs = putAtMs.get(name);
    return atMs === undefined ? "" : `src=10.0.0.2 ttl: 0 last_seen: ${atMs} oldest_pkt: 1 ${atMs}\n`;
  }

  function writeFile(path: string, text: string): boolean {
    const name = path.slice(LISTS.length + 1);
    const cut = cutOfList(name);
    if (!path.startsWith(LISTS) || !lists().includes(name) || cut === undefined) return false;
    if (text.startsWith("+")) putAtMs.set(name, monotonicMs());
    else putAtMs.delete(name);
    changed(cut, text.startsWith("+"));
    return true;
  }

  function cuts(): TimedCut[] {
    return [...putAtMs].flatMap(([name, atMs]) => {
      const cut = cutOfList(name);
      const standing = cut !== undefined && monotonicMs() < atMs + cut.ttlS * 1000;
      return standing && ["iptables", "ip6tables"].some((tool) => isFirst(tool, cut)) ? [cut] : [];
    });
  }

  function isFirst(tool: string, { port }: TimedCut): boolean {
    return HOOKS.every((hook) => {
      const rules = chains.get(`${tool} ${hook}`) ?? [];
      const at = rules.indexOf(`-j VIGIE-CUT-${port}`);
      return at >= 0 && rules.slice(0, at).every((rule) => rule.startsWith("-j VIGIE-CUT-"));
    });
  }
}

function yes(lines: readonly string[] = []): Answer {
  return { exitCode: 0, stdout: lines.map((line) => `${line}\n`).join(""), stderr: "" };
}

function no(why: string): Answer {
  return { exitCode: 1, stdout: "", stderr: `iptables: ${why}\n` };
}
