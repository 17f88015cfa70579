/** What the tests of the performer share: an agent on h1 whose minor 18 stalls, and a machine that does what it is told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ActionRequest,
  LinkCut,
  SourceReport,
  SourceState,
  type ActionResult,
  type DrbdMinor,
  type Source,
} from "@vigie/proto";
import type { RequestedAction } from "./actions/action.js";
import { fakeFirewall } from "./fake-firewall.js";
import type { Command, CommandOutcome, Host } from "./host.js";
import { stall } from "./guards/testing.js";
import { openJournal, type Journal } from "./journal.js";
import { createPerformer } from "./perform.js";
import type { Caller } from "./task.js";
import { errno, fakeHost, type FakeMachine } from "./sources/testing.js";

export const MASTER = "h1.example";
export const UNIX_MS = 1_795_000_000_000; // the wall clock when the monotonic one began

export interface PerformStage {
  readonly journal: Journal;
  /** What happened, in order: looks, records, commands. */
  readonly happened: string[];
  readonly ran: Command[]; // without questions to iptables
  /** Changed by a test before it performs. */
  readonly world: {
    nowMs: number;
    own: DrbdMinor | undefined;
    redundantMs: number;
    ownStillMs: number | undefined;
    cuts: LinkCut[];
    cutsUnknown: string;
    master: string;
    readOnly: string;
    /** What a command does instead of what it should. */
    run: (command: Command) => Partial<CommandOutcome> | Promise<Partial<CommandOutcome>> | undefined;
    /** What a write into a file of the kernel's does instead of what it should. */
    write: (path: string, text: string) => Promise<void> | undefined;
    /** What Ganeti answers to a LUXI request. */
    luxi: (request: string) => string;
    /** Files, folders and disks. */
    machine: FakeMachine;
    /** Ends when a timer would: never, but where a test is about a deadline. */
    sleep: () => Promise<void>;
    /** What a source says when it is read. */
    read: (source: Source) => Promise<SourceReport>;
    /** Waited for within the guard. */
    looking: () => Promise<void>;
  };
  readonly perform: (request: ActionRequest, caller?: Partial<Caller>) => Promise<ActionResult>;
  readonly onFirewall: (work: () => Promise<void>) => Promise<void>;
  /** As after a restart: the same journal file, and nothing remembered. */
  readonly restarted: () => PerformStage;
  readonly end: () => void;
}

export function performStage(
  folder = mkdtempSync(join(tmpdir(), "vigie-perform-")),
  open: (path: string) => Journal = openJournal,
): PerformStage {
  const opened = open(join(folder, "journal"));
  const happened: string[] = [];
  const ran: Command[] = [];
  const { seen } = stall();
  const world: PerformStage["world"] = {
    nowMs: 100_000,
    own: seen.own,
    cuts: [],
    cutsUnknown: "",
    master: MASTER,
    readOnly: "",
    run: () => undefined,
    write: () => undefined,
    luxi: () => {
      throw errno("ECONNREFUSED");
    },
    read: async (source) =>
      SourceReport.create({ source, state: SourceState.FAILED, reason: "it is not there" }),
    redundantMs: 0,
    ownStillMs: seen.ownStillMs,
    machine: {},
    sleep: () => new Promise<void>(() => undefined),
    looking: () => Promise.resolve(),
  };
  const firewall = fakeFirewall(
    () => world.nowMs,
    ({ peerAddress, port, ttlS, runId }, begun) => {
      world.cuts = world.cuts.filter((cut) => cut.peerAddress !== peerAddress || cut.port !== port);
      if (begun) world.cuts.push(LinkCut.create({ peerAddress, port, expiresInS: ttlS, runId }));
    },
  );
  const journal: Journal = {
    ...opened,
    append: (entry, unixMs) => {
      opened.append(entry, unixMs);
      happened.push(entry.kind);
    },
  };
  const host: Host = {
    ...fakeHost({}),
    readFile: (path) => fakeHost(world.machine).readFile(path),
    readLink: (path) => fakeHost(world.machine).readLink(path),
    listFolder: (path) => fakeHost(world.machine).listFolder(path),
    claim: (path) => fakeHost(world.machine).claim(path),
    openDevice: (name) => fakeHost(world.machine).openDevice(name),
    sleep: () => world.sleep(),
    monotonicMs: () => world.nowMs,
    wallUnixMs: () => UNIX_MS + world.nowMs,
    exchange: async (_socket, request) => world.luxi(request),
    writeFile: async (path, text) => {
      happened.push(`write ${text}`);
      const odd = world.write(path, text);
      if (odd === undefined && !firewall.writeFile(path, text)) throw errno("ENOENT");
      await odd;
    },
    run: async (command) => {
      const asks = command.args.includes("-S") || command.args.includes("-C");
      if (!asks) ran.push(command);
      happened.push(`run ${command.args.find((arg) => /^-[A-Z]$/.test(arg)) ?? "?"}`);
      const odd = await world.run(command);
      return { ...EXITED, ...(odd ?? firewall.run(command)) };
    },
  };
  const { perform, onFirewall } = createPerformer({
    host,
    journal,
    nodeName: MASTER,
    readOnlyReason: async () => world.readOnly,
    masterNode: async () => world.master,
    look: {
      host,
      nodeName: MASTER,
      bootId: seen.bootId,
      read: (source) => world.read(source),
      recent: (source) => world.read(source),
      lastGood: () => undefined,
      drbdMinor: async () => {
        happened.push("look at the minor");
        const readAtMs = world.nowMs;
        await world.looking();
        return {
          minor: world.own,
          unknown: "damaged",
          readAtMs,
          stillMs: world.ownStillMs,
          redundantMs: world.redundantMs,
        };
      },
      drbdConfig: async () => seen.config,
      cuts: async () => {
        happened.push("look at the cuts");
        return { cuts: [...world.cuts], unknown: world.cutsUnknown };
      },
    },
  });
  const sentAtMs = (sequence: number): number | undefined => (sequence === 7 ? 99_900 : undefined);
  return {
    journal,
    happened,
    ran,
    world,
    perform: (request, caller) => perform(request, { orchestratorNode: MASTER, sentAtMs, ...caller }),
    onFirewall,
    restarted: () => {
      opened.close();
      return performStage(folder, open);
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const EXITED: CommandOutcome = {
  end: "exited",
  exitCode: 0,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 1,
};

export function cutRequest(change: Partial<ActionRequest> = {}): ActionRequest {
  return requestFor({ $case: "cutDrbdLink", value: stall().params }, { stepId: "cut-link", ...change });
}

export function restoreRequest(change: Partial<ActionRequest> = {}): ActionRequest {
  const kind = { $case: "restoreDrbdLink", value: { end: stall().params.end } } as const;
  return requestFor(kind, { stepId: "restore-link", ...change });
}

export function requestFor(kind: RequestedAction, change: Partial<ActionRequest> = {}): ActionRequest {
  return ActionRequest.create({ ...ASKED, action: { kind }, ...change });
}

const ASKED = {
  runId: "r-1",
  stepId: "step",
  attempt: 1,
  epoch: 3,
  node: MASTER,
  answersSequence: 7, // sent 100 ms ago
  notAfterMs: 2_000,
};
