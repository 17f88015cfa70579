import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseMountinfo, parseSwaps } from "./mountinfo.js";
import { damagedCopies, FUZZ_RUNS } from "./testing.js";

const MOUNTINFO = `25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/sys-root rw,errors=remount-ro
30 25 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
41 25 147:18 / /mnt/a\\040guest rw - ext4 /dev/drbd18 rw
74 22 0:59 / /mnt/tmpfs rw,relatime shared:38 - tmpfs  rw
`;

const SWAPS = `Filename				Type		Size		Used		Priority
/dev/dm-1                               partition	1048572		0		-2
/swap\\040file                           file		1048572		0		-3
`;

test("each mount tells its device number, where it is, and what was mounted", () => {
  expect(parseMountinfo(MOUNTINFO)).toEqual([
    { dev: "254:0", mountPoint: "/", source: "/dev/mapper/sys-root" },
    { dev: "0:26", mountPoint: "/run", source: "tmpfs" },
    { dev: "147:18", mountPoint: "/mnt/a guest", source: "/dev/drbd18" },
    { dev: "0:59", mountPoint: "/mnt/tmpfs", source: "" },
  ]);
});

test("a source may be a dash, or nothing", () => {
  const line = "74 22 0:59 / /mnt/a rw,relatime shared:38 - tmpfs - rw\n75 22 0:60 / /mnt/b rw - tmpfs  rw\n";
  expect(parseMountinfo(line)).toEqual([
    { dev: "0:59", mountPoint: "/mnt/a", source: "-" },
    { dev: "0:60", mountPoint: "/mnt/b", source: "" },
  ]);
});

test("swap is told by its path, and a machine without any has none", () => {
  expect(parseSwaps(SWAPS)).toEqual(["/dev/dm-1", "/swap file"]);
  expect(parseSwaps(SWAPS.split("\n")[0] ?? "")).toEqual([]);
});

test("a line that is not understood refuses all, for what it uses is not nothing (I11)", () => {
  expect(() => parseMountinfo(`${MOUNTINFO}garbage\n`)).toThrow("not understood");
  expect(() => parseSwaps("nothing\n")).toThrow("no heading");
  expect(() => parseSwaps("")).toThrow("no heading");
  expect(() => parseSwaps(`${SWAPS}half\n`)).toThrow("not understood");
});

test("whatever happens to the text, it is parsed or refused", () => {
  fc.assert(
    fc.property(damagedCopies([MOUNTINFO, SWAPS]), (text) => {
      for (const parse of [parseMountinfo, parseSwaps]) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "PARSE_FAILED" });
        }
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
