import { expect, test } from "vitest";
import { onePartition, parseTableId, tableIdOf } from "./partition-table.js";

test("a table's id is read as sfdisk 2.38 prints it, and is asked for without anything that writes", () => {
  expect(parseTableId("0x5d1c2e3f\n")).toBe("0x5d1c2e3f");
  expect(parseTableId("9F2B6C1E-55C1-4D7A-8A0B-1C2D3E4F5061\n")).toBe("9f2b6c1e-55c1-4d7a-8a0b-1c2d3e4f5061");
  expect(tableIdOf("/dev/sdb").args).toEqual(["--disk-id", "/dev/sdb"]);
});

test("what is no id is not taken for one (I11)", () => {
  for (const text of [
    "",
    "0x5d1c2e3",
    "0x5d1c2e3f 0x1",
    "sfdisk: cannot open /dev/sdb",
    "9F2B6C1E-55C1-4D7A-8A0B",
  ])
    expect(() => parseTableId(text), text).toThrow();
});

test("one partition over the whole disk is of type 8e, and of LVM's own where the table is a GPT", () => {
  expect(onePartition("/dev/sdb", "dos", "0x5d1c2e3f").input).toBe(
    "label: dos\nlabel-id: 0x5d1c2e3f\ntype=8e\n",
  );
  expect(onePartition("/dev/sdb", "gpt", "9f2b6c1e-55c1-4d7a-8a0b-1c2d3e4f5061").input).toBe(
    "label: gpt\nlabel-id: 9f2b6c1e-55c1-4d7a-8a0b-1c2d3e4f5061\ntype=E6D6D379-F507-44C2-A23C-238F2A3DF928\n",
  );
});
