/**
 * Vigie's own certificate authority: one key, kept on one machine, that says who may be agent, orchestrator or
 * person. Nobody else's authority is trusted, so a name that is good elsewhere opens nothing here.
 *
 * A certificate carries its identity as URI SAN `vigie://ROLE/NAME` (proto/src/identity.ts). Only an orchestrator
 * may be a server: an operator's stolen certificate cannot pose as one to an agent, because its key usage is
 * client only.
 */
// oxlint-disable-next-line import/no-unassigned-import -- first: @peculiar/x509 throws without it
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { identityUri, isIdentityName, VigieError, type IdentityRole } from "@vigie/proto";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** The certificate that everybody trusts, and the key that only the authority's machine holds. */
export type Authority = KeyPair;

export interface CertificateRequest {
  readonly role: IdentityRole;
  readonly name: string; // a node as Ganeti spells it, or a person
  readonly dnsNames?: readonly string[]; // more host names or addresses to be reached by; an orchestrator has its own
  readonly days: number; // of validity, from `now`
}

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 3_600_000; // a node whose clock is behind must still accept a fresh certificate
const AUTHORITY_DAYS = 3650;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/; // Ganeti allows "_"

export async function createAuthority(now: Date = new Date()): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [`vigie authority ${now.toISOString().slice(0, 10)}`] }],
    ...validity(now, AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pemText(certificate.toString("pem")), keyPem: await keyPem(keys) };
}

/**
 * @throws INVALID_ARGUMENT for a name, host name or validity that is none; PARSE_FAILED for an authority that
 *   cannot be read
 */
export async function issueCertificate(
  authority: Authority,
  request: CertificateRequest,
  now: Date = new Date(),
): Promise<KeyPair> {
  const names = alternativeNames(request);
  const issuer = await readAuthority(authority);
  const keys = await newKeys();
  const { notBefore, notAfter } = validity(now, request.days);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [request.name] }],
    issuer: issuer.certificate.subject,
    notBefore,
    notAfter: notAfter < issuer.certificate.notAfter ? notAfter : issuer.certificate.notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: issuer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes(request.role)),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
    ],
  });
  return { certificatePem: pemText(certificate.toString("pem")), keyPem: await keyPem(keys) };
}

function purposes(role: IdentityRole): x509.ExtendedKeyUsage[] {
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  return role === "orchestrator" ? [serverAuth, clientAuth] : [clientAuth];
}

function alternativeNames(request: CertificateRequest): x509.JsonGeneralName[] {
  const { role, name, days } = request;
  if (!isIdentityName(name)) {
    throw new VigieError(
      "INVALID_ARGUMENT",
      `the name ${JSON.stringify(name)} is not lower-case letters, digits, ".", "_" and "-"`,
    );
  }
  if (!Number.isInteger(days) || days < 1 || days > AUTHORITY_DAYS) {
    throw new VigieError(
      "INVALID_ARGUMENT",
      `a validity of ${days} days is not between 1 and ${AUTHORITY_DAYS}`,
    );
  }
  const hosts = new Set([...(role === "orchestrator" ? [name] : []), ...(request.dnsNames ?? [])]);
  const uri: x509.JsonGeneralName = { type: "url", value: identityUri({ role, name }) };
  return [...[...hosts].map(hostEntry), uri];
}

function hostEntry(host: string): x509.JsonGeneralName {
  if (isIP(host) !== 0) return { type: "ip", value: host };
  if (HOST_NAME.test(host)) return { type: "dns", value: host };
  throw new VigieError("INVALID_ARGUMENT", `${JSON.stringify(host)} is not a host name or address`);
}

async function readAuthority(
  authority: Authority,
): Promise<{ certificate: x509.X509Certificate; key: webcrypto.CryptoKey }> {
  try {
    const certificate = new x509.X509Certificate(authority.certificatePem);
    const der = x509.PemConverter.decodeFirst(authority.keyPem);
    return { certificate, key: await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]) };
  } catch (cause) {
    throw new VigieError("PARSE_FAILED", "the authority's certificate or key is not PEM of an EC P-256 key", {
      cause,
    });
  }
}

function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return pemText(x509.PemConverter.encode(der, x509.PemConverter.PrivateKeyTag));
}

function pemText(pem: string): string {
  return `${pem.trim()}\n`;
}

/** 127 random bits: positive in ASN.1, and never the same twice. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("hex");
}
