import {
  CONNECTION_WORDS,
  ConnectionState,
  DISK_WORDS,
  DiskState,
  Role,
  WriteOrdering,
  type DrbdMinor,
} from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseProcDrbd, procDrbd } from "./proc-drbd.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS, sample, samplesAt } from "./testing.js";

const HEADER = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 6D35D8DA0E8C4D4DA0C3B6A \n";
const COUNTERS = "    ns:0 nr:4 dw:4 dr:0 al:0 bm:1 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n";
const HEALTHY = ` 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n${COUNTERS}`;
const NEXT = HEALTHY.replace(" 0:", " 1:");
const LAB = samplesAt("lab/proc_drbd_");
const SAMPLES = [...samplesAt("sources/proc-drbd/"), ...LAB].map(([, text]) => text);

function read(path: string): ReturnType<typeof parseProcDrbd> {
  return parseProcDrbd(sample(`sources/proc-drbd/${path}`));
}

function reasonOf(text: string): string | undefined {
  return parseProcDrbd(HEADER + text).damaged[0]?.reason;
}

function looksHealthy(minor: DrbdMinor): boolean {
  const upToDate = minor.disk === DiskState.UP_TO_DATE && minor.peerDisk === DiskState.UP_TO_DATE;
  return upToDate && minor.connection === ConnectionState.CONNECTED;
}

describe("the dialects", () => {
  test("8.0 prints st:, four flags, the caches, and neither epochs nor out-of-sync", () => {
    const { version, api, minors, damaged } = read("8.0.txt");
    expect({ version, api, damaged }).toEqual({ version: "8.0.16", api: "api:86/proto:86", damaged: [] });
    expect(minors.map((minor) => minor.minor)).toEqual([0, 1, 2, 4]);
    expect(minors[0]).toMatchObject({
      connection: ConnectionState.CONNECTED,
      role: Role.PRIMARY,
      peerRole: Role.SECONDARY,
      protocol: "C",
      ioFlags: "r---",
      networkSentKib: 4375577,
      activityLogUpdates: 1067,
      writeOrdering: WriteOrdering.UNSPECIFIED,
    });
    expect(minors[0]?.outOfSyncKib).toBeUndefined();
    expect(minors[0]?.epochs).toBeUndefined();
  });

  test("up to 8.3.8 a bare stalled stands where the finish line would be", () => {
    expect(read("8.0.txt").minors[1]?.resync).toEqual({
      verify: false,
      donePercent: 12.5,
      leftKib: 917504,
      totalKib: 1048576,
      leftResolutionKib: 1,
      kernelSaysStalled: true,
    });
  });

  test("the fifth flag of 8.3.1 is a NUL and is given as a dash", () => {
    const { minors, damaged } = read("8.3.1.txt");
    expect(damaged).toEqual([]);
    expect(minors.map((minor) => minor.ioFlags)).toEqual(["r----", "r----"]);
  });

  test("8.3.8 groups want: wrongly and adds a queue delay", () => {
    const { minors, damaged } = read("8.3.8.txt");
    expect(damaged).toEqual([]);
    expect(minors[0]?.resync).toMatchObject({ wantKibPerS: 1_024_000, leftKib: 12288 * 1024, finishS: 90 });
  });

  test("8.3.8 may print a delay probe behind the unit", () => {
    const text = `${HEADER} 0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r----\n${COUNTERS}`;
    const bar = "\t[=======>............] sync'ed: 42.4% (294656/510908)M delay_probe: 145637\n";
    const finish = "\tfinish: 1:23:28 speed: 60,172 (51,448) K/sec\n";
    const { minors, damaged } = parseProcDrbd(`${text}${bar}${finish}`);
    expect(damaged).toEqual([]);
    expect(minors[0]?.resync).toMatchObject({ donePercent: 42.4, leftKib: 294_656 * 1024, finishS: 5_008 });
  });

  test("a verify of 8.2 to 8.3.8 tells the blocks of 4 KiB that are done, and nothing more", () => {
    const verify = ` 0: cs:VerifyS ro:Primary/Secondary ds:UpToDate/UpToDate C r----\n${COUNTERS}`;
    const { minors, damaged } = parseProcDrbd(`${HEADER}${verify}\t 20%      52568/255983\n`);
    expect(damaged).toEqual([]);
    expect(minors[0]?.resync).toMatchObject({
      verify: true,
      donePercent: 20,
      leftKib: (255_983 - 52_568) * 4,
      totalKib: 255_983 * 4,
    });
    expect(reasonOf(`${verify}\t 20%      52568/5\n`)).toBe("more is done than there is");
    expect(reasonOf(`${HEALTHY}\t 20%      52568/255983\n`)).toBe("progress out of place");
  });

  test("kernel 2.6.39 forgets the line end before finish:", () => {
    const { minors, damaged } = read("2.6.39.txt");
    expect(damaged).toEqual([]);
    expect(minors[0]?.resync).toMatchObject({ leftKib: 14996 * 1024, finishS: 248, speedKibPerS: 61736 });
  });

  test("8.4 says stalled at its end, at 100.0 % with nothing left", () => {
    const { minors, damaged } = read("8.4.txt");
    expect(damaged).toEqual([]);
    expect(minors.map((minor) => minor.minor)).toEqual([1, 2, 3, 18, 118]);
    expect(minors[1]).toMatchObject({
      connection: ConnectionState.SYNC_SOURCE,
      ioFlags: "r---n-",
      pending: 33,
    });
    expect(minors[1]?.resync).toEqual({
      verify: false,
      donePercent: 100,
      leftKib: 0,
      totalKib: 15360 * 1024,
      leftResolutionKib: 1024,
      finishS: 0,
      speedKibPerS: 52956,
      averageSpeedKibPerS: 71820,
      kernelSaysStalled: true,
    });
  });

  test("a verify is told from a resync, and pending may be negative", () => {
    const verify = read("8.4.txt").minors[3];
    expect(verify).toMatchObject({ minor: 18, pending: -2, protocol: "A", resyncPausedByDependency: true });
    expect(verify?.resync).toMatchObject({ verify: true, wantKibPerS: 1_234_567, donePercent: 20.1 });
  });

  test("StandAlone has a blank for its protocol, and suspended I/O shows", () => {
    expect(read("8.4.txt").minors[4]).toMatchObject({
      minor: 118,
      protocol: "",
      ioFlags: "s----s",
      ioSuspended: true,
      writeOrdering: WriteOrdering.NONE,
      outOfSyncKib: 1048320,
    });
  });

  test("the lines that proc_details adds are understood", () => {
    const { minors, damaged } = read("8.4-details.txt");
    expect(damaged).toEqual([]);
    expect(minors[0]?.resync).toMatchObject({ speedKibPerS: 38656, averageSpeedKibPerS: 38596 });
    expect(minors).toHaveLength(2);
  });

  test("9 in its 8.4 form never finishes and has negative speeds while it loses ground", () => {
    const { minors, damaged, minorsElsewhere } = read("9-compat.txt");
    expect({ damaged, minorsElsewhere }).toEqual({ damaged: [], minorsElsewhere: false });
    expect(minors[0]?.resync).toMatchObject({ speedKibPerS: -1234, averageSpeedKibPerS: 36 });
    expect(minors[0]?.resync?.finishS).toBeUndefined();
  });

  test("9 without device lines keeps its minors elsewhere, and that is not the same as none", () => {
    expect(read("9-no-minors.txt")).toEqual({
      version: "9.2.8",
      api: "api:2/proto:86-122",
      minors: [],
      damaged: [],
      minorsElsewhere: true,
    });
  });

  test("the wiki's copy has lost its header and its indentation", () => {
    const { minors, damaged } = read("wiki-copy.txt");
    expect(damaged).toEqual([]);
    expect(minors[0]).toMatchObject({
      outOfSyncKib: 0,
      resync: { leftKib: 965 * 1024, kernelSaysStalled: true },
    });
  });

  test("a speed that 8.4 computed below zero and printed unsigned is left out, and the rest stands", () => {
    const rubbish = read("8.4.txt");
    const text = sample("sources/proc-drbd/8.4.txt").replace("speed: 52,956", "speed: 4611686018427,387,904");
    expect(parseProcDrbd(text).minors).toHaveLength(rubbish.minors.length);
    expect(parseProcDrbd(text).minors[1]?.resync?.speedKibPerS).toBeUndefined();
  });
});

describe("a real 8.4.11", () => {
  test.each(LAB)("%s is understood", (path, text) => {
    const { version, damaged, minors } = parseProcDrbd(text);
    expect({ version, damaged }).toEqual({ version: "8.4.11", damaged: [] });
    expect(minors).toHaveLength(path.includes("empty") ? 0 : 1);
  });

  test("says stalled only 180 s after the last progress, with a finish of hours", () => {
    const text = sample("lab/proc_drbd_stalled_primary.txt");
    expect(parseProcDrbd(text).minors[0]).toMatchObject({
      outOfSyncKib: 40648,
      pending: 17,
      resync: { kernelSaysStalled: true, speedKibPerS: 0, finishS: 5 * 3600 + 55 * 60 + 40 },
    });
  });
});

describe("words", () => {
  test.each(Object.entries(CONNECTION_WORDS).filter(([word]) => word !== "Unconfigured"))(
    "the connection state %s is known",
    (word, connection) => {
      expect(parseProcDrbd(HEADER + HEALTHY.replace("Connected", word)).minors).toMatchObject([
        { connection },
      ]);
    },
  );

  test.each(Object.entries(DISK_WORDS))("the disk state %s is known on both sides", (word, disk) => {
    const text = HEALTHY.replace("UpToDate/UpToDate", `${word}/${word}`);
    expect(parseProcDrbd(HEADER + text).minors).toMatchObject([{ disk, peerDisk: disk }]);
  });

  test.each([
    ["cs:Connected", "cs:Conn3cted", 'unknown connection state "Conn3cted"'],
    ["cs:Connected", "cs:constructor", 'unknown connection state "constructor"'],
    ["Primary/", "Primery/", 'unknown role "Primery"'],
    ["/UpToDate", "/TOO_LARGE", 'unknown peer disk state "TOO_LARGE"'],
    ["C r-----", "D r-----", 'unknown protocol "D"'],
    ["C r-----", "C x-----", 'unknown I/O flags "x-----"'],
    ["C r-----", "C r-- ---", 'unknown I/O flags "r--"'],
    ["C r-----", "C r----- x", 'unexpected text "x"'],
  ])("%s printed as %s damages that minor, and the next one still parses", (from, to, reason) => {
    const { minors, damaged } = parseProcDrbd(HEADER + HEALTHY.replace(from, to) + NEXT);
    expect(damaged).toEqual([{ line: 3, reason, minor: 0, object: "" }]);
    expect(minors.map((minor) => minor.minor)).toEqual([1]);
  });

  test.each([
    ["oos:0", "oos:9007199254740993", 'oos: is above 2^53: "9007199254740993"'],
    ["oos:0", "oos:", "oos: is not a number: the end of the line"],
    [" oos:0", "", 'expected "oos:" at the end of the line'],
    ["ap:0", "ap:0 ap:0", 'expected "ep:" at "ap:0 ep:1 wo:f oos:0"'],
    ["wo:f", "wo:x", 'unknown write ordering "x"'],
    ["pe:0", "pe:4294967296", "pe: 4294967296 is no 32-bit number"],
    ["nr:4", "nr:-4", 'nr: is not a number: "-4 dw:4 dr:0 al:0 bm:1 lo:0 pe:0 ua:0 ap"…'],
  ])("%s printed as %s damages that minor's counters", (from, to, reason) => {
    const { minors, damaged } = parseProcDrbd(HEADER + HEALTHY.replace(from, to) + NEXT);
    expect(damaged).toMatchObject([{ line: 4, minor: 0 }]);
    expect(damaged[0]?.reason.replace('…"', '"…')).toBe(reason);
    expect(minors.map((minor) => minor.minor)).toEqual([1]);
  });
});

describe("layout", () => {
  test("tabs, line ends of another system, and minors out of order change nothing", () => {
    const text = HEADER + NEXT + HEALTHY;
    const plain = parseProcDrbd(text);
    expect(plain.minors.map((minor) => minor.minor)).toEqual([1, 0]);
    expect(parseProcDrbd(text.replaceAll("\n", "\r\n"))).toEqual(plain);
    expect(parseProcDrbd(text.replaceAll("    ", "\t"))).toEqual(plain);
  });

  test("the same minor twice is unknown, whichever of the two is true", () => {
    const { minors, damaged } = parseProcDrbd(HEADER + HEALTHY + NEXT + HEALTHY);
    expect(minors.map((minor) => minor.minor)).toEqual([1]);
    expect(damaged.map(({ line, minor, reason }) => [line, minor, reason])).toEqual([
      [3, 0, "minor 0 is listed twice"],
      [7, 0, "minor 0 is listed twice"],
    ]);
  });

  test("a damaged and a whole listing of one minor make it unknown", () => {
    const { minors, damaged } = parseProcDrbd(HEADER + HEALTHY.replace("C r", "X r") + HEALTHY);
    expect(minors).toEqual([]);
    expect(damaged.map(({ minor }) => minor)).toEqual([0, 0]);
  });

  test("a state line without its number belongs to no known minor, and harms no other", () => {
    const { minors, damaged } = parseProcDrbd(HEADER + HEALTHY + NEXT.replace(" 1:", " h5:"));
    expect(minors.map((minor) => minor.minor)).toEqual([0]);
    expect(damaged).toMatchObject([{ line: 5 }]);
    expect(damaged[0]?.minor).toBeUndefined();
  });

  test("a hole is a blank line, and counters behind one belong to nobody", () => {
    const { minors, damaged } = parseProcDrbd(`${HEADER}${HEALTHY}\n${COUNTERS}`);
    expect(minors).toHaveLength(1);
    expect(damaged).toMatchObject([{ line: 6 }]);
  });

  test("a line that no kernel prints makes the minor above it unknown", () => {
    const { minors, damaged } = parseProcDrbd(`${HEADER}${HEALTHY}\tsomething: else\n${NEXT}`);
    expect(damaged).toEqual([{ line: 5, reason: 'unknown line "something: else"', minor: 0, object: "" }]);
    expect(minors.map((minor) => minor.minor)).toEqual([1]);
  });

  test("progress below a minor that does not resync, without its second line, or twice is damaged", () => {
    const bar = "\t[>....................] sync'ed:  3.1% (31784/32764)M\n";
    const finish = "\tfinish: 0:14:01 speed: 38,656 (38,596) K/sec\n";
    const syncing = HEALTHY.replace("Connected", "SyncSource");
    expect(reasonOf(HEALTHY + bar + finish)).toBe("progress of a minor that does not resync");
    expect(reasonOf(syncing + bar)).toBe("the progress has no second line");
    expect(reasonOf(syncing + bar + bar)).toBe("progress out of place");
    expect(reasonOf(syncing + finish)).toBe("progress out of place");
    expect(reasonOf(syncing + bar + finish)).toBeUndefined();
  });

  test("a file that is empty, or only half a header, is not a node without minors", () => {
    expect(parseProcDrbd("").damaged).toMatchObject([{ reason: "the header is not complete" }]);
    expect(parseProcDrbd("version: 8.4.11 (api:1/proto:86-101)\n").damaged).toHaveLength(1);
    expect(parseProcDrbd(HEADER).damaged).toEqual([]);
  });

  test("a megabyte of rubbish is refused in few words", () => {
    const { damaged, minors } = parseProcDrbd("x\n".repeat(500_000));
    expect(minors).toEqual([]);
    expect(damaged).toHaveLength(101);
    expect(damaged.at(-1)?.reason).toBe("499900 further lines are unknown");
    expect(parseProcDrbd("y".repeat(1_000_000)).damaged[0]?.reason.length).toBeLessThan(100);
  });
});

describe("whatever happens to the text", () => {
  const whole = HEADER + HEALTHY + NEXT;

  test("cut at any byte, a minor is never whole before its counters line has ended", () => {
    for (let length = 0; length < whole.length; length++) {
      const { minors, damaged } = parseProcDrbd(whole.slice(0, length));
      const ended = [HEADER + HEALTHY, whole].filter((text) => length >= text.length).length;
      expect(minors).toHaveLength(ended);
      if (![HEADER.length, HEADER.length + HEALTHY.length].includes(length)) expect(damaged).not.toEqual([]);
    }
  });

  test("a minor with any byte of its lines made unknown is not healthy, and its neighbour is", () => {
    for (let at = 0; at < HEALTHY.length; at++) {
      const text = `${HEALTHY.slice(0, at)}#${HEALTHY.slice(at + 1)}`;
      expect(parseProcDrbd(HEADER + text + NEXT).minors.map((minor) => minor.minor)).not.toContain(0);
      if (at + 1 === HEALTHY.length) continue; // its line end: the next minor's line is part of it now
      expect(parseProcDrbd(HEADER + text + NEXT).minors.filter(looksHealthy)).toMatchObject([{ minor: 1 }]);
    }
  });

  test("it never throws, and answers at once", () => {
    fc.assert(
      fc.property(damagedCopies(SAMPLES), (text) => {
        const { minors, damaged } = parseProcDrbd(text);
        const numbers = minors.map((minor) => minor.minor);
        expect(new Set(numbers).size).toBe(numbers.length);
        for (const { minor } of damaged) if (minor !== undefined) expect(numbers).not.toContain(minor);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });

  test("a minor with an unknown word in its lines is never healthy, and its neighbours are", () => {
    const word = fc.stringMatching(/^[A-Za-z]{1,12}$/).map((letters) => `Zz${letters}`);
    const lines = fc.constantFrom("state", "counters");
    fc.assert(
      fc.property(word, lines, fc.nat(20), (unknown, which, place) => {
        const [state = "", counters = ""] = HEALTHY.split("\n");
        const words = (which === "state" ? state : counters).trim().split(" ");
        words.splice(place % (words.length + 1), 1, unknown);
        const text =
          which === "state" ? `${words.join(" ")}\n${counters}\n` : `${state}\n${words.join(" ")}\n`;
        const { minors } = parseProcDrbd(HEADER + text + NEXT);
        expect(minors.filter(looksHealthy).map((minor) => minor.minor)).toEqual([1]);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe("the reading", () => {
  test("without the file the module is not loaded, and that is an answer", async () => {
    expect(await procDrbd().read(fakeHost({}))).toEqual({
      state: "absent",
      reason: "the drbd module is not loaded",
    });
  });

  test("a file that is there and cannot be read is a failure", async () => {
    const host = fakeHost({ files: { "/proc/drbd": errno("EIO") } });
    await expect(procDrbd().read(host)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });

  test("on 9 the minors are asked of drbdsetup", async () => {
    const host = fakeHost({
      files: { "/proc/drbd": sample("sources/proc-drbd/9-no-minors.txt") },
      run: () => ({ stdout: sample("sources/drbdsetup-status.json") }),
    });
    const reading = await procDrbd().read(host);
    expect(reading).toMatchObject({
      state: "ok",
      facts: { value: { version: "9.2.8", minors: [{ minor: 2 }] } },
    });
  });
});
