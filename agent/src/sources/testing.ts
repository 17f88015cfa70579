/** What the tests of the sources share: a machine made of texts, the project's samples, and ways to damage them. */
import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import type { Command, CommandOutcome, DeviceHandle, FilesystemStat, Host } from "../host.js";

const FIXTURES = new URL("../../../test/fixtures/", import.meta.url);

/** Runs of every property test; the suite's long mode sets 100000. */
export const FUZZ_RUNS = Number(process.env["VIGIE_FUZZ_RUNS"] ?? 300);

/** One sample of test/fixtures, by its path there. */
export function sample(path: string): string {
  return readFileSync(new URL(path, FIXTURES), "utf8");
}

/** Every sample whose path begins so ("sources/proc-drbd/", "lab/proc_drbd_"), by that path. */
export function samplesAt(beginning: string): [string, string][] {
  const folder = beginning.slice(0, beginning.lastIndexOf("/") + 1);
  const paths = readdirSync(new URL(folder, FIXTURES)).map((name) => folder + name);
  return paths
    .filter((path) => path.startsWith(beginning))
    .sort()
    .map((path) => [path, sample(path)]);
}

export interface FakeMachine {
  readonly files?: Readonly<Record<string, string | Error>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly filesystems?: Readonly<Record<string, FilesystemStat | Error>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly run?: (command: Command) => Partial<CommandOutcome>;
  readonly exchange?: (request: string) => string;
  readonly device?: (name: string) => DeviceHandle;
  readonly claim?: (path: string) => void; // throws what claiming it rejects with
  readonly kernelLog?: () => string[];
}

/** A host that holds what is given, and nothing else. */
export function fakeHost(machine: FakeMachine): Host {
  return {
    monotonicMs: () => 0,
    wallUnixMs: () => 0,
    sleep: () => Promise.resolve(),
    readFile: async (path) => found(machine.files?.[path], path),
    listFolder: async (path) => [...found(machine.folders?.[path], path)],
    statFilesystem: async (path) => found(machine.filesystems?.[path], path),
    readLink: async (path) => found(machine.links?.[path], path),
    writeFile: async () => {
      throw errno("ENOENT");
    },
    run: async (command) => ({
      ...EXITED,
      ...(machine.run?.(command) ?? { end: "not-started", exitCode: -1 }),
    }),
    exchange: async (_socket, request) => {
      if (machine.exchange === undefined) throw errno("ENOENT");
      return machine.exchange(request);
    },
    claim: async (path) => machine.claim?.(path),
    openDevice: async (name) => {
      if (machine.device === undefined) throw errno("ENOENT");
      return machine.device(name);
    },
    newKernelLogRecords: async () => machine.kernelLog?.() ?? [],
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

export function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function found<T>(value: T | Error | undefined, path: string): T {
  if (value === undefined) throw Object.assign(errno("ENOENT"), { path });
  if (value instanceof Error) throw value;
  return value;
}

/** Samples with some of their bytes deleted, inserted, replaced, or swapped between words, or the end cut off. */
export function damagedCopies(samples: Iterable<string>): fc.Arbitrary<string> {
  const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom("\n", "\r\n", "\0", "\t", "-1", "9".repeat(20), ":"),
  );
  const change = fc.oneof(
    fc.tuple(place, fc.nat(9)).map(
      ([at, length]) =>
        (text: string) =>
          splice(text, at, length, ""),
    ),
    fc.tuple(place, piece).map(
      ([at, inserted]) =>
        (text: string) =>
          splice(text, at, 0, inserted),
    ),
    fc.tuple(place, piece).map(
      ([at, other]) =>
        (text: string) =>
          splice(text, at, other.length, other),
    ),
    fc.tuple(place, place).map(
      ([a, b]) =>
        (text: string) =>
          swapWords(text, a, b),
    ),
    place.map((at) => (text: string) => text.slice(0, Math.floor(at * text.length))),
  );
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([text, changes]) => changes.reduce((damaged, apply) => apply(damaged), text));
}

function splice(text: string, place: number, length: number, inserted: string): string {
  const at = Math.floor(place * text.length);
  return text.slice(0, at) + inserted + text.slice(at + length);
}

function swapWords(text: string, a: number, b: number): string {
  const words = text.split(/(\s+)/);
  const first = Math.floor((a * words.length) / 2) * 2;
  const second = Math.floor((b * words.length) / 2) * 2;
  const kept = words[first];
  words[first] = words[second] ?? "";
  words[second] = kept ?? "";
  return words.join("");
}
