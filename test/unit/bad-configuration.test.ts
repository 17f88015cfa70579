/** What the two programs do with a wrong configuration: exit code 2, and one line that says where and what. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "@vigie/orchestrator";
import { type IdentityRole } from "@vigie/proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./imports.js";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-config-"));
  const authority = await createAuthority();
  writeFileSync(join(folder, "ca.pem"), authority.certificatePem);
  const write = async (role: IdentityRole, name: string): Promise<void> => {
    const pair = await issueCertificate(authority, { role, name, days: 1 });
    writeFileSync(join(folder, `${role}.pem`), pair.certificatePem);
    writeFileSync(join(folder, `${role}.key`), pair.keyPem);
  };
  await Promise.all([write("agent", "h1"), write("orchestrator", "h1"), write("admin", "anna")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tls(name: string): string {
  const key = (what: string, file: string): string => `${what} = ${JSON.stringify(join(folder, file))}\n`;
  return `[tls]\n${key("ca", "ca.pem")}${key("certificate", `${name}.pem`)}${key("key", `${name}.key`)}`;
}

/** Starts the program as a node would, and gives how it ended. */
function start(
  program: "agent" | "orchestrator",
  text: string | undefined,
): { code: number | null; lines: string[] } {
  const config = join(folder, `${program}.toml`);
  rmSync(config, { force: true });
  if (text !== undefined)
    writeFileSync(config, `state_dir = ${JSON.stringify(join(folder, "state"))}\n${text}`);
  const main = join(ROOT, program, "src/main.ts");
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", main, config], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 50_000,
  });
  return { code: status, lines: stderr.trim().split("\n") };
}

const CASES: readonly ["agent" | "orchestrator", string, () => string | undefined, RegExp][] = [
  [
    "agent",
    "a mistyped key",
    () => `kil_switch = "x"\n${tls("agent")}`,
    /agent\.toml:2: kil_switch: .*kill_switch/,
  ],
  [
    "agent",
    "a person's certificate",
    () => tls("admin"),
    /agent\.toml:4: tls\.certificate: .*role agent.*admin anna/,
  ],
  [
    "agent",
    "another node's name",
    () => `node = "h2"\n${tls("agent")}`,
    /agent\.toml:2: node: expected h1.* got h2/,
  ],
  ["agent", "no file at all", () => undefined, /agent\.toml: cannot be read: no such file/],
  [
    "orchestrator",
    "a wrong type",
    () => `listen = 7443\n${tls("orchestrator")}`,
    /orchestrator\.toml:2: listen: expected a string/,
  ],
  [
    "orchestrator",
    "an agent's certificate",
    () => tls("agent"),
    /orchestrator\.toml:4: tls\.certificate: .*role orchestrator/,
  ],
  [
    "orchestrator",
    "a webhook's secret that is not there",
    () =>
      `${tls("orchestrator")}[[notify]]\nname = "w"\ntype = "webhook"\nurl = "http://h/"\nsecret_file = "/no/secret"\n`,
    /orchestrator\.toml:10: notify\[0\]\.secret_file: .*\/no\/secret, which is not there/,
  ],
  [
    "orchestrator",
    "a certificate that is not there",
    () => tls("nobody"),
    /orchestrator\.toml:4: tls\.certificate: .*not there/,
  ],
];

test.each(CASES)("%s with %s ends with 2 and one line", (program, _what, text, expected) => {
  const { code, lines } = start(program, text());
  expect(lines).toEqual([expect.stringMatching(expected)]);
  expect(lines[0]).toMatch(new RegExp(`^vigie-${program}: `));
  expect(code).toBe(2);
});
