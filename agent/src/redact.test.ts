import { expect, test } from "vitest";
import { redact } from "./redact.js";

test.each([
  ['        shared-secret   \t"a 1b2c";', "        shared-secret   \t[redacted];"],
  [
    "drbdsetup connect --shared-secret=1b2c --ping-int 10",
    "drbdsetup connect --shared-secret=[redacted] --ping-int 10",
  ],
  ["--shared-secret 1b2c ipv4:10.0.0.1:11000", "--shared-secret [redacted] ipv4:10.0.0.1:11000"],
  ['{"shared_secret": "1b2c", "port": 11000}', '{"shared_secret": [redacted], "port": 11000}'],
  ['"secret":"1b2c"', '"secret":[redacted]'],
  ["      auth key: 1b2c", "      auth key: [redacted]"],
  ["Shared-Secret 1b2c, SHARED-SECRET: 3d4e", "Shared-Secret [redacted], SHARED-SECRET: [redacted]"],
])("%j holds no secret any more", (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test("in a line of JSON that holds such a text, the secret is gone too", () => {
  const line = JSON.stringify({ output: 'net {\n shared-secret "1b2c";\n}', other: "kept" });
  expect(redact(line)).not.toContain("1b2c");
  expect(redact(line)).toContain("kept");
});

test("what holds no secret is left as it is", () => {
  const text = "cs:SyncSource ro:Primary/Secondary, the secretary of web1, port 11000";
  expect(redact(text)).toBe(text);
});
