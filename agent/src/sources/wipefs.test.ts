import { expect, test } from "vitest";
import { parseWipefs, wipefs } from "./wipefs.js";

// As wipefs 2.38.1 of Debian 12 prints them.
const BLANK = `{
   "signatures": [

   ]
}
`;
const EXT4 = `{
   "signatures": [
      {
         "device": "sdb",
         "offset": "0x438",
         "type": "ext4",
         "uuid": "ae6ab8b7-9d6b-43f8-aaee-1af56e51757e",
         "label": null
      }
   ]
}
`;

test("a blank disk has no signature, and one with a filesystem has it where it is", () => {
  expect(parseWipefs(BLANK)).toEqual([]);
  expect(parseWipefs("")).toEqual([]);
  expect(parseWipefs(EXT4)).toEqual(["ext4 at 0x438"]);
});

test("a report that is not understood is not blank (I11)", () => {
  for (const text of ["{}", "[]", "wipefs: error", EXT4.slice(0, 60), '{"signatures": [1]}'])
    expect(() => parseWipefs(text), text).toThrow();
});

test("it is asked without anything that writes", () => {
  expect(wipefs("/dev/sdb").args).toEqual(["--no-act", "--json", "/dev/sdb"]);
});
