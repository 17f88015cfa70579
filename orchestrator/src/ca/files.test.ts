import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readAuthorityFiles, writeKeyPair } from "./files.js";

const PAIR = { certificatePem: "certificate\n", keyPem: "key\n" };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-ca-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a key is readable by its owner alone", () => {
  const files = writeKeyPair(folder, "ca", PAIR);
  expect(statSync(files.key).mode & 0o777).toBe(0o600);
  expect(statSync(files.certificate).mode & 0o777).toBe(0o644);
  expect(readAuthorityFiles(folder)).toEqual(PAIR);
});

test("nothing is overwritten, and the refusal names the file", () => {
  writeKeyPair(folder, "ca", PAIR);
  expect(() => writeKeyPair(folder, "ca", { ...PAIR, keyPem: "other\n" })).toThrow(
    `${join(folder, "ca.key")} exists`,
  );
  expect(readFileSync(join(folder, "ca.key"), "utf8")).toBe("key\n");
});

test("where only the certificate is there, no key is left behind", () => {
  writeFileSync(join(folder, "x.pem"), "mine\n");
  expect(() => writeKeyPair(folder, "x", PAIR)).toThrow(`${join(folder, "x.pem")} exists`);
  expect(() => statSync(join(folder, "x.key"))).toThrow("ENOENT");
});

test("a folder without an authority says how to create one", () => {
  expect(() => readAuthorityFiles(folder)).toThrow(`vigie ca init --dir ${folder}`);
});
