/**
 * Keys on disk: a key is readable by its owner alone from its first moment, and nothing is ever overwritten. An
 * authority that is created a second time would lock every agent out.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VigieError } from "@vigie/proto";
import type { Authority, KeyPair } from "./authority.js";

export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** `FOLDER/BASE.pem` and `FOLDER/BASE.key`. */
export function keyPairFiles(folder: string, base: string): KeyPairFiles {
  return { certificate: join(folder, `${base}.pem`), key: join(folder, `${base}.key`) };
}

/**
 * Write both or none.
 *
 * @throws CONFLICT when either file is there already
 */
export function writeKeyPair(folder: string, base: string, pair: KeyPair): KeyPairFiles {
  const files = keyPairFiles(folder, base);
  refuseExisting(files);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(files.key, pair.keyPem, { mode: 0o600, flag: "wx" });
  try {
    writeFileSync(files.certificate, pair.certificatePem, { mode: 0o644, flag: "wx" });
  } catch (cause) {
    rmSync(files.key);
    throw new VigieError("CONFLICT", `${files.certificate} cannot be written`, { cause });
  }
  return files;
}

/** @throws CONFLICT when either file is there already; to be asked before a key is made */
export function refuseExisting(files: KeyPairFiles): void {
  for (const file of [files.key, files.certificate]) {
    if (!existsSync(file)) continue;
    const message = `${file} exists and is not overwritten; move it away first, or name another folder`;
    throw new VigieError("CONFLICT", message, { details: { file } });
  }
}

/** @throws NOT_FOUND when there is no authority in that folder */
export function readAuthorityFiles(folder: string): Authority {
  const files = keyPairFiles(folder, "ca");
  try {
    return {
      certificatePem: readFileSync(files.certificate, "utf8"),
      keyPem: readFileSync(files.key, "utf8"),
    };
  } catch (cause) {
    const message = `no authority can be read in ${folder}; create one with: vigie ca init --dir ${folder}`;
    throw new VigieError("NOT_FOUND", message, { cause });
  }
}
