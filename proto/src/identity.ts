/**
 * Who is at the other end of a connection: one URI in the certificate, `vigie://ROLE/NAME`. Identity comes from
 * the certificate and never from a payload (I16). A certificate with none, two, or an odd one is refused: there is
 * no default role.
 */
import { VigieError } from "./errors.js";

export const IDENTITY_ROLES = ["agent", "orchestrator", "viewer", "operator", "admin"] as const;
export type IdentityRole = (typeof IDENTITY_ROLES)[number];

export interface Identity {
  readonly role: IdentityRole;
  readonly name: string; // a node's name as Ganeti spells it, or a person's
}

/** Host names and log-in names. Lower case, so that no two names look alike; no slash, quote, comma or space. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/;
const URI = /^vigie:\/\/(?<role>[a-z]+)\/(?<name>[^/]+)$/;

/**
 * One entry of Node's subjectaltname text: `DNS:h1.example`, `IP Address:10.0.0.1`. Node puts a value that holds
 * a comma, a quote or a control character into a JSON string, so a comma outside quotes always ends the entry.
 */
const ENTRY = /(?<type>[A-Za-z][A-Za-z0-9 ]*):(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^",]*))(?:, |$)/y;

export function isIdentityRole(text: string): text is IdentityRole {
  return (IDENTITY_ROLES as readonly string[]).includes(text);
}

export function isIdentityName(text: string): boolean {
  return NAME.test(text);
}

/** The URI that a certificate carries. */
export function identityUri(identity: Identity): string {
  return `vigie://${identity.role}/${identity.name}`;
}

/** @throws PERMISSION_DENIED unless the certificate carries exactly one well-formed identity. */
export function identityOf(certificate: { readonly subjectaltname?: string | undefined }): Identity {
  return parseIdentity(certificate.subjectaltname ?? "");
}

/**
 * @param subjectaltname as Node's PeerCertificate and X509Certificate give it, "DNS:h1, URI:vigie://agent/h1"
 * @throws PERMISSION_DENIED unless it holds exactly one vigie URI and that one is well formed
 */
export function parseIdentity(subjectaltname: string): Identity {
  const uris = entries(subjectaltname).filter(isVigieUri);
  const [uri] = uris;
  if (uri === undefined) throw refusal("the certificate names no vigie:// identity", subjectaltname);
  if (uris.length > 1) throw refusal("the certificate names more than one vigie:// identity", subjectaltname);
  const { role = "", name = "" } = URI.exec(uri.value)?.groups ?? {};
  if (uri.quoted || !isIdentityRole(role) || !isIdentityName(name)) {
    throw refusal("the certificate's identity is not vigie://ROLE/NAME", subjectaltname);
  }
  return { role, name };
}

interface Entry {
  readonly type: string;
  readonly value: string;
  readonly quoted: boolean;
}

function entries(text: string): Entry[] {
  const found: Entry[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const groups = ENTRY.exec(text)?.groups;
    if (groups === undefined) throw refusal("the certificate's alternative names cannot be read", text);
    const { type = "", quoted, plain = "" } = groups;
    found.push({ type, value: quoted ?? plain, quoted: quoted !== undefined });
  }
  return found;
}

/** Case does not count here: an odd spelling of the scheme is to be refused, not passed over. */
function isVigieUri(entry: Entry): boolean {
  return entry.type.toLowerCase() === "uri" && /^\s*vigie:/i.test(entry.value);
}

function refusal(message: string, subjectaltname: string): VigieError {
  return new VigieError("PERMISSION_DENIED", message, { details: { subjectaltname } });
}
