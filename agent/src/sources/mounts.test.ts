import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mounts, parseMounts } from "./mounts.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

const TEXT = `/dev/sda1 / ext4 rw,relatime,errors=remount-ro 0 0
/dev/mapper/drbd0p1 /mnt/my\\040guest\\134s ext3 ro,relatime 0 0
`;

test("escapes are decoded, and read-only is an option of its own", () => {
  expect(parseMounts(TEXT)).toEqual({
    mounts: [
      { device: "/dev/sda1", mountPoint: "/", type: "ext4", readOnly: false },
      { device: "/dev/mapper/drbd0p1", mountPoint: "/mnt/my guest\\s", type: "ext3", readOnly: true },
    ],
    damaged: [],
  });
});

test.each(["/dev/sdb1 /srv ext4", "/dev/sdb1 /srv ext4 rw 0 x", "", "/dev/sdb1 /my srv ext4 rw 0 0"])(
  "the line %j is damaged, and the others are not",
  (line) => {
    const { mounts, damaged } = parseMounts(`${line}\n${TEXT}`);
    expect(mounts).toHaveLength(2);
    expect(damaged).toMatchObject([{ line: 1 }]);
  },
);

test("a last line without its end is damaged", () => {
  expect(parseMounts(TEXT.slice(0, -3))).toMatchObject({ mounts: [{}], damaged: [{ line: 2 }] });
});

test("a real node's mounts are understood", () => {
  const { mounts, damaged } = parseMounts(sample("lab/proc_mounts.txt"));
  expect(damaged).toEqual([]);
  expect(mounts[0]).toEqual({ device: "/dev/root", mountPoint: "/", type: "ext4", readOnly: false });
});

test("the reading is of /proc/mounts", async () => {
  const host = fakeHost({ files: { "/proc/mounts": TEXT } });
  expect(await mounts.read(host)).toMatchObject({ state: "ok", facts: { value: { mounts: [{}, {}] } } });
});

test("whatever happens to the text, every line is a mount or damaged", () => {
  fc.assert(
    fc.property(damagedCopies([TEXT]), (text) => {
      const { mounts, damaged } = parseMounts(text);
      expect(mounts.length + damaged.length).toBe(
        text.split("\n").length - (text.endsWith("\n") || text === "" ? 1 : 0),
      );
    }),
    { numRuns: FUZZ_RUNS },
  );
});
