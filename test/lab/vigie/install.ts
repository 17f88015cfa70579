/**
 * Puts the programs of this tree on the lab's nodes as an administrator would: an agent under systemd on each, the
 * orchestrator beside the master as its own user, `vigie` for root.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deploy, type DeployedFile } from "../deploy.js";
import { REPOSITORY } from "../host/paths.js";
import type { Lab, LabNode } from "../lab.js";
import type { NodeName } from "../nodes.js";
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
  /** The master's node. */
  readonly orchestratorOn?: NodeName;
  /** Forget what an earlier installation kept: incidents, runs, journals. */
  readonly afresh?: boolean;
}

/** Installs and starts; resolves when the services run, which is before all have reported. */
export async function installVigie(lab: Lab, options: InstallOptions = {}): Promise<void> {
  const missing = PROGRAMS.filter((program) => !existsSync(join(REPOSITORY, program)));
  if (missing.length > 0) throw new Error(`${missing.join(", ")}: not built; run: npm run bundle`);
  const certificates = await labCertificates();
  const stage = mkdtempSync(join(tmpdir(), "vigie-install-"));
  try {
    const own = lab.nodes.map((node) => {
      stageConfiguration(join(stage, node.name), node, certificates, options);
      return { from: join(stage, node.name), to: "/", nodes: [node.name] };
    });
    await deploy(lab, {
      files: [...programFiles(), ...own],
      prepare: options.afresh === true ? `${PREPARE}${FORGET}` : PREPARE,
      units: [
        { name: "vigie-agent" },
        { name: "vigie-orchestrator", nodes: [options.orchestratorOn ?? "h1"] },
      ],
    });
  } finally {
    rmSync(stage, { recursive: true });
  }
}

const PREPARE = `
id vigie >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin vigie
chown vigie:vigie /etc/vigie/tls/orchestrator.key
`;

const FORGET = `
systemctl stop vigie-orchestrator vigie-agent 2>/dev/null || true
rm -rf /var/lib/vigie /var/lib/vigie-orchestrator
`;

function programFiles(): DeployedFile[] {
  const programs = PROGRAMS.map((program) => ({
    from: join(REPOSITORY, program),
    to: `/usr/lib/vigie/${program.split("/").at(-1) ?? ""}`,
  }));
  const units = UNITS.map((unit) => ({
    from: join(REPOSITORY, "deploy/systemd", unit),
    to: `/etc/systemd/system/${unit}`,
  }));
  return [...programs, ...units];
}

function stageConfiguration(
  stage: string,
  node: LabNode,
  certificates: Certificates,
  options: InstallOptions,
): void {
  const write = (to: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(stage, to)), { recursive: true });
    writeFileSync(join(stage, to), text, { mode });
  };
  write("usr/bin/vigie", '#!/bin/sh\nexec /usr/lib/vigie/node /usr/lib/vigie/vigie.cjs "$@"\n', 0o755);
  write("etc/vigie/agent.toml", `orchestrator_port = ${PORT}\n`);
  write("etc/vigie/orchestrator.toml", `listen = "0.0.0.0:${PORT}"\n${options.orchestratorToml ?? ""}`);
  const client = {
    server: `${options.orchestratorOn ?? "h1"}.lab.example:${PORT}`,
    ca: "tls/ca.pem",
    certificate: "tls/admin.pem",
    key: "tls/admin.key",
  };
  write(
    "etc/vigie/vigie.toml",
    Object.entries(client)
      .map(([key, value]) => `${key} = "${value}"\n`)
      .join(""),
  );
  write("etc/vigie/tls/ca.pem", certificates.caPem);
  for (const [role, name] of [
    ["agent", node.fqdn],
    ["orchestrator", node.fqdn],
    ["admin", "ada"],
  ] as const) {
    const { certificatePem, keyPem } = certificates.of(role, name);
    write(`etc/vigie/tls/${role}.pem`, certificatePem);
    write(`etc/vigie/tls/${role}.key`, keyPem, 0o600);
  }
}
