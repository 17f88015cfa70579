/**
 * Puts the programs of this tree on the lab's nodes as an administrator would: an agent under systemd on each, the
 * orchestrator beside the master as its own user, `vigie` for root. One tar over ssh a node, all nodes at once.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runHost } from "../host/exec.js";
import { REPOSITORY } from "../host/paths.js";
import type { Lab, LabNode } from "../lab.js";
import { labCertificates, type Certificates } from "./certificates.js";

const PROGRAMS = [
  "agent/dist/agent.cjs",
  "orchestrator/dist/orchestrator.cjs",
  "orchestrator/dist/vigie.cjs",
];
const UNITS = ["vigie-agent.service", "vigie-orchestrator.service"];
const PORT = 7443;

export interface InstallOptions {
  /** Text of orchestrator.toml beside its defaults. */
  readonly orchestratorToml?: string;
  /** The node beside which the orchestrator runs; h1, the master, unless the master moved. */
  readonly orchestratorOn?: "h1" | "h2" | "h3";
}

/** Installs, starts, and waits until every node reports and the orchestrator leads. */
export async function installVigie(lab: Lab, options: InstallOptions = {}): Promise<void> {
  const missing = PROGRAMS.filter((program) => !existsSync(join(REPOSITORY, program)));
  if (missing.length > 0) throw new Error(`${missing.join(", ")}: not built; run: npm run bundle`);
  const certificates = await labCertificates();
  const beside = options.orchestratorOn ?? "h1";
  await Promise.all(
    lab.nodes
      .filter((n) => n.isPowered())
      .map((node) => installOn(node, certificates, options, node.name === beside)),
  );
}

async function installOn(
  node: LabNode,
  certificates: Certificates,
  options: InstallOptions,
  withOrchestrator: boolean,
): Promise<void> {
  const stage = mkdtempSync(join(tmpdir(), "vigie-install-"));
  try {
    stageFiles(stage, node, certificates, options);
    const archive = join(stage, "..", `${stage.slice(tmpdir().length + 1)}.tar`);
    await runHost(["tar", "-C", stage, "--owner=0", "--group=0", "-cf", archive, "."]);
    await node.run("tar -C / --no-overwrite-dir -xf -", { input: { file: archive } });
    rmSync(archive);
  } finally {
    rmSync(stage, { recursive: true });
  }
  await node.script(START, [withOrchestrator ? "yes" : "no"], { timeoutMs: 60_000 });
}

const START = `set -e
id vigie >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin vigie
chown vigie:vigie /etc/vigie/tls/orchestrator.key
systemctl daemon-reload
systemctl enable --quiet vigie-agent
systemctl restart vigie-agent
if [ "$1" = yes ]; then
  systemctl enable --quiet vigie-orchestrator
  systemctl restart vigie-orchestrator
fi
`;

function stageFiles(stage: string, node: LabNode, certificates: Certificates, options: InstallOptions): void {
  for (const program of PROGRAMS)
    copy(stage, join(REPOSITORY, program), `usr/lib/vigie/${program.split("/").at(-1) ?? ""}`);
  for (const unit of UNITS)
    copy(stage, join(REPOSITORY, "deploy/systemd", unit), `etc/systemd/system/${unit}`);
  write(stage, "usr/bin/vigie", '#!/bin/sh\nexec /usr/lib/vigie/node /usr/lib/vigie/vigie.cjs "$@"\n', 0o755);
  write(stage, "etc/vigie/agent.toml", `orchestrator_port = ${PORT}\n`);
  write(
    stage,
    "etc/vigie/orchestrator.toml",
    `listen = "0.0.0.0:${PORT}"\n${options.orchestratorToml ?? ""}`,
  );
  const client = ["ca", "certificate", "key"].map(
    (key) => `${key} = "tls/${key === "ca" ? "ca.pem" : `admin.${key === "key" ? "key" : "pem"}`}"\n`,
  );
  write(stage, "etc/vigie/vigie.toml", `server = "h1.lab.example:${PORT}"\n${client.join("")}`);
  write(stage, "etc/vigie/tls/ca.pem", certificates.caPem);
  const pairs = [
    ["agent", certificates.of("agent", node.fqdn)],
    ["orchestrator", certificates.of("orchestrator", node.fqdn)],
    ["admin", certificates.of("admin", "ada")],
  ] as const;
  for (const [base, { certificatePem, keyPem }] of pairs) {
    write(stage, `etc/vigie/tls/${base}.pem`, certificatePem);
    write(stage, `etc/vigie/tls/${base}.key`, keyPem, 0o600);
  }
}

function copy(stage: string, from: string, to: string): void {
  mkdirSync(dirname(join(stage, to)), { recursive: true });
  copyFileSync(from, join(stage, to));
}

function write(stage: string, to: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(stage, to)), { recursive: true });
  writeFileSync(join(stage, to), text, { mode });
}
