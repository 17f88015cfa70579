/** The lab's own authority and everybody's certificate, made once a running lab and thrown away with it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate, type KeyPair } from "@vigie/orchestrator";
import type { IdentityRole } from "@vigie/proto";
import { RUN_DIR } from "../host/paths.js";
import { NODES } from "../nodes.js";

const FOLDER = join(RUN_DIR, "tls");
const DAYS = 30;

export interface Certificates {
  readonly caPem: string;
  readonly of: (role: IdentityRole, name: string) => KeyPair;
}

/** An agent's and an orchestrator's for each node, and three people: vera views, otto operates, ada administrates. */
export async function labCertificates(): Promise<Certificates> {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  if (!existsSync(join(FOLDER, "ca.pem"))) await makeAll();
  return { caPem: readFileSync(join(FOLDER, "ca.pem"), "utf8"), of: read };
}

async function makeAll(): Promise<void> {
  const authority = await createAuthority();
  const people = [
    ["viewer", "vera"],
    ["operator", "otto"],
    ["admin", "ada"],
  ] as const;
  const machines = NODES.flatMap(
    ({ fqdn }) =>
      [
        ["agent", fqdn],
        ["orchestrator", fqdn],
      ] as const,
  );
  for (const [role, name] of [...people, ...machines]) {
    const pair = await issueCertificate(authority, { role, name, dnsNames: [], days: DAYS });
    const base = join(FOLDER, `${role}-${name}`);
    writeFileSync(`${base}.pem`, pair.certificatePem);
    writeFileSync(`${base}.key`, pair.keyPem, { mode: 0o600 });
  }
  writeFileSync(join(FOLDER, "ca.pem"), authority.certificatePem); // last: it says that all are there
}

function read(role: IdentityRole, name: string): KeyPair {
  const base = join(FOLDER, `${role}-${name}`);
  return { certificatePem: readFileSync(`${base}.pem`, "utf8"), keyPem: readFileSync(`${base}.key`, "utf8") };
}
