import {
  CONNECTION_WORDS,
  connectionWord,
  DISK_WORDS,
  diskWord,
  ROLE_WORDS,
  roleWord,
  type DrbdMinor,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { parseProcDrbd } from "../../agent/src/sources/proc-drbd.js";
import { fixture, fixturesAbsent, fixturesIn } from "./fixtures.js";

const FILES = [
  ...fixturesIn("ganeti/proc_drbd"),
  ...fixturesIn("synthetic/proc_drbd"),
  ...fixturesIn("web"),
  ...fixturesIn("issues/ganeti-1868").filter((path) => path.endsWith("proc_drbd.txt")),
  ...fixturesIn("issues/ha_cluster_exporter-141").filter((path) => path.endsWith("proc_drbd.txt")),
  ...fixturesIn("issues/ganeti-241"),
  ...fixturesIn("wiki").filter((path) => /stalled|wfconnection/.test(path)),
];

/** What Ganeti 3.0.2's Python parser makes of a file: one entry a minor. */
interface PythonMinor {
  readonly minor: number;
  readonly words: readonly string[]; // cs, roles, disks; "None" where not printed
  readonly syncPercent: number; // NaN: none; 0 is also what it says where it did not understand
  readonly etaS: number;
}

function pythonOracle(): Map<string, PythonMinor[]> {
  const oracle = new Map<string, PythonMinor[]>();
  if (fixturesAbsent) return oracle;
  let current: PythonMinor[] = [];
  for (const line of fixture("generated/ganeti-3.0.2_python_parser_results.txt").split("\n")) {
    const header = /^(\S+) (\d\S*) \(api/.exec(line);
    if (header !== null) oracle.set(`${header[1]} ${header[2]}`, (current = []));
    const minor = /^ {3}(\d+) (.+) sync% (\S+) eta (\S+) in_resync/.exec(line);
    if (minor === null) continue;
    const [, number = "", words = "", percent = "", eta = ""] = minor;
    current.push({
      minor: Number(number),
      words: words.split(" "),
      syncPercent: Number(percent),
      etaS: Number(eta),
    });
  }
  return oracle;
}

function wordsOf(minor: DrbdMinor): string[] {
  const roles = [minor.role, minor.peerRole].map(roleWord);
  const disks = [minor.disk, minor.peerDisk].map(diskWord);
  return [connectionWord(minor.connection), ...roles, ...disks].map((word) => (word === "?" ? "None" : word));
}

interface MondDevice {
  readonly minor: number;
  readonly connectionState: string;
  readonly ioFlags?: string;
  readonly perfIndicators?: Readonly<Record<string, number | string | null>>;
  readonly syncStatus?: { readonly percentage: number; readonly progress: string; readonly speed: number };
}

/** The node's own monitor; it answers only for what it understands. */
function mondDevices(path: string): MondDevice[] | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.txt$/, ".out");
  if (name === "proc_drbd.out" || !fixturesIn("generated/mond").includes(`generated/mond/${name}`))
    return undefined;
  const report = JSON.parse(fixture(`generated/mond/${name}`)) as { data: { deviceInfos: MondDevice[] } };
  return report.data.deviceInfos;
}

describe.skipIf(fixturesAbsent)("sample outputs of /proc/drbd", () => {
  const oracle = pythonOracle();

  test.each(FILES)("%s is understood to the last line", (path) => {
    const { minors, damaged, minorsElsewhere } = parseProcDrbd(fixture(path));
    expect(damaged).toEqual([]);
    expect(minors.length > 0).toBe(!minorsElsewhere);
  });

  test.each(FILES)("%s has the states that Ganeti's parser sees", (path) => {
    const parsed = parseProcDrbd(fixture(path));
    const expected = oracle.get(`${path.slice(path.lastIndexOf("/") + 1)} ${parsed.version}`);
    if (expected === undefined) return; // an extract that its parser was not given
    expect(parsed.minors.map(({ minor }) => minor)).toEqual(expected.map(({ minor }) => minor));
    for (const [index, minor] of parsed.minors.entries()) {
      const python = expected[index];
      expect(wordsOf(minor)).toEqual(python?.words);
      // It says 0 % where it does not understand: a bare "stalled", a paused sync.
      if (python?.syncPercent) expect(minor.resync?.donePercent).toBe(python.syncPercent);
      if (python?.etaS) expect(minor.resync?.finishS).toBe(python.etaS);
    }
  });

  test.each(FILES)("%s has the counters that Ganeti's monitor sees, where it answers", (path) => {
    const { minors } = parseProcDrbd(fixture(path));
    for (const device of mondDevices(path) ?? []) {
      const minor = minors.find((each) => each.minor === device.minor);
      expect(connectionWord(minor?.connection ?? CONNECTION_WORDS["Unconfigured"]!)).toBe(
        device.connectionState,
      );
      if (minor === undefined || device.perfIndicators === undefined) continue;
      expect(minor).toMatchObject({
        networkSentKib: device.perfIndicators["networkSend"],
        networkReceivedKib: device.perfIndicators["networkReceive"],
        diskWrittenKib: device.perfIndicators["diskWrite"],
        diskReadKib: device.perfIndicators["diskRead"],
        activityLogUpdates: device.perfIndicators["activityLog"],
        bitmapUpdates: device.perfIndicators["bitMap"],
        pending: device.perfIndicators["pending"],
        unacknowledged: device.perfIndicators["unacknowledged"],
      });
      expect(minor.outOfSyncKib ?? null).toBe(device.perfIndicators["outOfSync"] ?? null);
      if (device.syncStatus !== undefined)
        expect(minor.resync?.donePercent).toBe(device.syncStatus.percentage);
    }
  });

  test("a disk that is gone shows, where Ganeti's monitor says that all is well", () => {
    for (const [file, disk] of [
      ["diskless_connected", "Diskless"],
      ["failed_connected", "Failed"],
    ] as const) {
      const { minors } = parseProcDrbd(fixture(`synthetic/proc_drbd/${file}.txt`));
      expect(minors.map((minor) => [connectionWord(minor.connection), diskWord(minor.disk)])).toEqual([
        ["Connected", disk],
      ]);
    }
  });

  test("both spellings of stalled are seen, and the one of 2025 has nothing left to sync", () => {
    const stalled = [
      "synthetic/proc_drbd/stalled_old",
      "synthetic/proc_drbd/stalled_new",
      "wiki/stalled_8.0_style",
    ];
    for (const path of [...stalled, "issues/ganeti-1868/proc_drbd"]) {
      expect(parseProcDrbd(fixture(`${path}.txt`)).minors[0]?.resync?.kernelSaysStalled).toBe(true);
    }
    expect(parseProcDrbd(fixture("issues/ganeti-1868/proc_drbd.txt")).minors).toMatchObject([
      { minor: 2, outOfSyncKib: 0, resync: { donePercent: 100, leftKib: 0, totalKib: 15360 * 1024 } },
    ]);
  });

  test("the kernel of issue 241 printed both progress lines as one", () => {
    const { minors } = parseProcDrbd(fixture("issues/ganeti-241/proc_drbd_lines.txt"));
    expect(minors).toMatchObject([{ minor: 3, resync: { donePercent: 2.4, finishS: 248 } }]);
  });

  test("DRBD 9 without device lines is not a node without minors", () => {
    expect(parseProcDrbd(fixture("synthetic/proc_drbd/drbd9_nolines.txt")).minorsElsewhere).toBe(true);
  });

  test("state lines that were copied under node names belong to no minor", () => {
    const { minors, damaged } = parseProcDrbd(fixture("wiki/split_brain_dual_primary_lines.txt"));
    expect(minors).toEqual([]);
    expect(damaged.map(({ line, minor }) => [line, minor])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
  });

  test("what is not /proc/drbd at all gives no minor", () => {
    const others = [
      "generated",
      "wiki",
      "issues/drbd-74",
      "issues/scst-256",
      "ganeti/drbdsetup_show",
      "ganeti/lvm",
    ];
    for (const path of others.flatMap(fixturesIn).filter((each) => !FILES.includes(each))) {
      const { minors, damaged } = parseProcDrbd(fixture(path));
      expect(minors).toEqual([]);
      expect(damaged).not.toEqual([]);
    }
  });

  test("every word that the samples print is in the vocabulary", () => {
    const known = new Set([
      ...Object.keys(CONNECTION_WORDS),
      ...Object.keys(ROLE_WORDS),
      ...Object.keys(DISK_WORDS),
    ]);
    for (const words of [...oracle.values()].flat().map((minor) => minor.words)) {
      for (const word of words) if (word !== "None") expect(known).toContain(word);
    }
  });
});
