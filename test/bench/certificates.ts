/** An authority of the benchmark's own, in a folder that is thrown away. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate, type KeyPair } from "@vigie/orchestrator";

const DAYS = 2;

export interface BenchAuthority {
  readonly keys: KeyPair;
  /** Writes ca.pem, ROLE.pem and ROLE.key. */
  readonly writeFiles: (folder: string, role: "agent" | "orchestrator", name: string) => Promise<void>;
}

export async function benchAuthority(): Promise<BenchAuthority> {
  const authority = await createAuthority();
  return {
    keys: authority,
    writeFiles: async (folder, role, name) => {
      const { certificatePem, keyPem } = await issueCertificate(authority, { role, name, days: DAYS });
      writeFileSync(join(folder, "ca.pem"), authority.certificatePem);
      writeFileSync(join(folder, `${role}.pem`), certificatePem);
      writeFileSync(join(folder, `${role}.key`), keyPem, { mode: 0o600 });
    },
  };
}

/** The [tls] table that names them. @param folder as the program sees it */
export function tlsTable(folder: string, role: "agent" | "orchestrator"): string {
  return [
    "[tls]",
    `ca = "${join(folder, "ca.pem")}"`,
    `certificate = "${join(folder, `${role}.pem`)}"`,
    `key = "${join(folder, `${role}.key`)}"`,
    "",
  ].join("\n");
}
