/** The three PEM files of a program's [tls] table, read at its start, and refused on the configuration's own line. */
import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { configError } from "./config-file.js";
import { identityOf, type Identity, type IdentityRole } from "./identity.js";

export interface TlsFiles {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** @throws BAD_CONFIG naming the file, line and key of the first that cannot be read */
export function readTlsFiles(
  configFile: string,
  tls: { readonly ca: string; readonly certificate: string; readonly key: string },
): TlsFiles {
  const pem = (key: "ca" | "certificate" | "key"): Buffer => {
    const text = readOrRefuse(configFile, key, tls[key]);
    if (text.includes("-----BEGIN ")) return text;
    throw configError(configFile, ["tls", key], "a PEM file", `${tls[key]}, which is none`);
  };
  return { ca: pem("ca"), certificate: pem("certificate"), key: pem("key") };
}

/** @throws BAD_CONFIG when the certificate is of another role, such as another node's or a person's */
export function ownIdentity(configFile: string, tls: TlsFiles, role: IdentityRole): Identity {
  const identity = identityOf({ subjectaltname: new X509Certificate(tls.certificate).subjectAltName });
  if (identity.role === role) return identity;
  const got = `one of ${identity.role} ${identity.name}`;
  throw configError(configFile, ["tls", "certificate"], `a certificate of role ${role}`, got);
}

function readOrRefuse(configFile: string, key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const got = missing
      ? `${path}, which is not there; make one with: vigie ca issue`
      : `${path}, which cannot be read`;
    throw configError(configFile, ["tls", key], "a PEM file", got);
  }
}
