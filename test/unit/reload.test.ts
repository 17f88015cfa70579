/** `systemctl reload vigie-orchestrator`, on the real program: SIGHUP reads its file again, and never ends it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createAuthority, issueCertificate } from "@vigie/orchestrator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "./imports.js";

let folder: string;
let path: string;
let program: ChildProcess;
let lines: AsyncIterator<string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-reload-"));
  path = join(folder, "orchestrator.toml");
  const authority = await createAuthority();
  const pair = await issueCertificate(authority, { role: "orchestrator", name: "h1", days: 1 });
  writeFileSync(join(folder, "ca.pem"), authority.certificatePem);
  writeFileSync(join(folder, "own.pem"), pair.certificatePem);
  writeFileSync(join(folder, "own.key"), pair.keyPem);
  write("");
  program = spawn(process.execPath, ["--import", "tsx", join(ROOT, "orchestrator/src/main.ts"), path], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (program.stdout === null) throw new Error("no output");
  lines = createInterface(program.stdout)[Symbol.asyncIterator]();
  await told("orchestrator.listen");
});
afterEach(() => {
  program.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function write(more: string): void {
  const tls = ["ca.pem", "own.pem", "own.key"].map((file) => JSON.stringify(join(folder, file)));
  writeFileSync(
    path,
    `listen = "127.0.0.1:0"\nstate_dir = ${JSON.stringify(folder)}\n${more}
[tls]\nca = ${tls[0]}\ncertificate = ${tls[1]}\nkey = ${tls[2]}\n`,
  );
}

/** Reads its log up to this event. */
async function told(event: string): Promise<object> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`it ended before ${event}`);
    const line: { event?: string } = JSON.parse(value);
    if (line.event === event) return line;
  }
}

test("it goes by what may change, says what needs a restart, and keeps what it had when the file is broken", async () => {
  write(
    'log_level = "debug"\n[policy]\nstalled_sync = "ask"\n[detect]\nstall_after_s = 9\n[[notify]]\nname = "ops"\ntype = "alertmanager"\nurl = "http://127.0.0.1:1"\n',
  );
  program.kill("SIGHUP");
  expect(await told("config.reloaded")).toMatchObject({
    changed: ["log_level", "policy", "detect"],
    needsRestart: ["notify"],
  });

  write('log_level = "loud"\n');
  program.kill("SIGHUP");
  expect(await told("config.refused")).toMatchObject({
    alarm: true,
    reason: expect.stringMatching(/orchestrator\.toml:3: log_level: .*the settings are as before$/),
  });

  program.kill("SIGTERM");
  const [code] = await once(program, "exit");
  expect(code).toBe(0);
});
