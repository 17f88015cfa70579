/** Bugs of the agent: what it forgets, what it does not look at, what it runs instead. */
import type { Command, Host } from "@vigie/agent";
import { mutant, type Mutant } from "./mutant.js";

const OF_CUTS = { troubles: ["reset-stalled-sync"], disturbances: [] };

export const AGENT: readonly Mutant[] = [
  mutant("an agent that does not see its stop file", /^I33: .* after it was stopped there/, {
    focus: {
      troubles: ["retire-disk", "resolve-split-brain", "recover-stuck-migration"],
      disturbances: ["a person forbids everything on a node"],
    },
    host: (host) => ({
      ...host,
      readFile: (path) => host.readFile(path === "/etc/vigie/stop" ? "/etc/vigie/no-such-file" : path),
    }),
  }),
  mutant("an agent that forgets epochs", /^I25: /, {
    focus: {
      troubles: ["retire-disk", "relocate-secondaries"],
      disturbances: ["a request of an older leader comes"],
    },
    journal: (journal) => ({ ...journal, highestEpoch: () => 0 }),
  }),
  mutant("an agent that forgets its keys", /^I23: /, {
    focus: { troubles: ["reinstate-node", "recover-stuck-migration"], disturbances: [] },
    wire: { repeatsRequests: true },
    journal: (journal) => ({ ...journal, keyState: () => ({ state: "new" }) }),
  }),
  mutant("kernels that say of every copy that it is UpToDate", /^I1: /, {
    focus: { troubles: ["retire-disk"], disturbances: ["a disk fails"] },
    host: (host) => ({
      ...host,
      readFile: async (path) =>
        path === "/proc/drbd" ? allWell(await host.readFile(path)) : host.readFile(path),
      run: async (command) => {
        const done = await host.run(command);
        return command.args[0] === "get-gi" ? { ...done, exitCode: 0, stdout: SAME_GENERATION } : done;
      },
    }),
  }),
  mutant("a cut that nobody ends", /^I17: /, { focus: OF_CUTS, host: (host) => rewriting(host, ENDLESS) }),
  mutant("a cut of the next port", /^I18: .* is cut, which is no DRBD link/, {
    focus: OF_CUTS,
    host: (host) => rewriting(host, NEXT_PORT),
  }),
  mutant("two cuts of one instance", /^I9: /, {
    focus: OF_CUTS,
    host: (host) => {
      const other = rewriting(host, NEXT_DISK);
      return {
        ...host,
        writeFile: async (path, text) => {
          await other.writeFile(path, text).catch(() => undefined);
          await host.writeFile(path, text);
        },
        run: async (command) => {
          if (isTables(command) && / -[NAI] /.test(command.args.join(" "))) await other.run(command);
          return host.run(command);
        },
      };
    },
  }),
  mutant("a forced word", /^I5: /, {
    focus: { troubles: ["retire-disk"], disturbances: [] },
    host: (host) => ({
      ...host,
      run: (command) =>
        host.run(command.args[0] === "detach" ? { ...command, args: [...command.args, "--force"] } : command),
    }),
  }),
  mutant("a guest that is not understood, and taken for none", /^(?:flags|rebuild): /, {
    focus: {
      troubles: ["relocate-secondaries"],
      disturbances: ["a guest is moved beside Ganeti, where it is not understood"],
    },
    reads: (host) => ({
      ...host,
      readFile: async (path) => {
        const text = await host.readFile(path);
        return path.endsWith("/cmdline") ? "" : text; // a process that has just ended
      },
    }),
  }),
  mutant("a volume that is not understood, and taken for none", /^rebuild: .* throws/, {
    focus: { troubles: ["rebuild-redundancy"], disturbances: [] },
    reads: (host) => ({
      ...host,
      run: async (command) => {
        const done = await host.run(command);
        return command.file.endsWith("/lvs") ? { ...done, stdout: withoutOddRows(done.stdout) } : done;
      },
    }),
  }),
  mutant("a guard that believes what was read before", /^I14: /, {
    focus: {
      troubles: ["reset-stalled-sync"],
      disturbances: ["what stalled moves again by itself", "commands take their time"],
    },
    host: (host) => staleDrbd(host),
  }),
  mutant("a job that is submitted twice", /^I30: /, {
    host: (host) => ({
      ...host,
      run: async (command) => {
        if (command.args.includes("--submit")) await host.run(command);
        return host.run(command);
      },
    }),
  }),
];

const SAME_GENERATION = `${["10", "0", "0", "0"].map((part) => part.padStart(16, "0")).join(":")}:1:1:0:0:0:0:0\n`;

function allWell(text: string): string {
  return text
    .replaceAll(/cs:(?:WFConnection|SyncSource|SyncTarget|StandAlone)/g, "cs:Connected")
    .replaceAll(/ro:(\w+)\/Unknown/g, "ro:$1/Secondary")
    .replaceAll(/ds:\w+\/\w+/g, "ds:UpToDate/UpToDate")
    .replaceAll(/oos:\d+/g, "oos:0")
    .replaceAll(/\n\t\[>.*\n.*K\/sec/g, "")
    .replaceAll("/UpToDate   r", "/UpToDate C r");
}

/** Another cut is made than the one that the agent asks for, and reads back. */
interface Rewritten {
  readonly made: (text: string) => string;
  readonly shown: (text: string) => string;
  readonly stays: boolean; // what takes it away does nothing
}

const NEXT_PORT: Rewritten = {
  made: (text) => text.replaceAll(/\b110(\d\d)\b/g, "119$1"),
  shown: (text) => text.replaceAll(/\b119(\d\d)\b/g, "110$1"),
  stays: false,
};

/** The ports of an instance's disks follow each other. */
const NEXT_DISK: Rewritten = {
  made: (text) => text.replaceAll(/\b110(\d\d)\b/g, (_, port: string) => String(11_001 + Number(port))),
  shown: (text) => text,
  stays: false,
};

const ENDLESS: Rewritten = {
  made: (text) => text.replaceAll(/,30,r-/g, ",900,r-").replace(/^30$/, "900"),
  shown: (text) => text.replaceAll(/,900,r-/g, ",30,r-").replaceAll(/--seconds 900\b/g, "--seconds 30"),
  stays: true,
};

function rewriting(host: Host, { made, shown, stays }: Rewritten): Host {
  return {
    ...host,
    listFolder: async (path) => (await host.listFolder(path)).map(shown),
    readFile: async (path) => host.readFile(path.startsWith("/proc/net") ? made(path) : path),
    writeFile: async (path, text) => {
      if (!stays || text.startsWith("+")) await host.writeFile(made(path), text);
    },
    run: async (command) => {
      if (!isTables(command)) return host.run(command);
      if (stays && /^-[DFX]$/.test(command.args[2] ?? "")) return NOTHING;
      const done = await host.run({ ...command, args: command.args.map(made) });
      return { ...done, stdout: shown(done.stdout) };
    },
  };
}

function isTables({ file }: Command): boolean {
  return file.endsWith("tables");
}

const NOTHING = {
  end: "exited",
  exitCode: 0,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 1,
} as const;

function withoutOddRows(text: string): string {
  try {
    const document = JSON.parse(text) as { report: { lv: Record<string, string>[] }[] };
    for (const report of document.report) report.lv = report.lv.filter((row) => !isOdd(row));
    return JSON.stringify(document);
  } catch {
    return text;
  }
}

function isOdd({ lv_attr: attr = "", lv_uuid: uuid = "", lv_size: size = "", seg_size: of = "" }): boolean {
  return attr.length < 6 || uuid.length < 32 || !/^\d+$/.test(size) || !/^\d+$/.test(of);
}

const STALE_MS = 20_000;

/** What was read first is given again for 20 s. */
function staleDrbd(host: Host): Host {
  let kept = "";
  let readMs = Number.NEGATIVE_INFINITY;
  return {
    ...host,
    readFile: async (path) => {
      if (path !== "/proc/drbd") return host.readFile(path);
      if (host.monotonicMs() - readMs < STALE_MS) return kept;
      kept = await host.readFile(path);
      readMs = host.monotonicMs();
      return kept;
    },
  };
}
