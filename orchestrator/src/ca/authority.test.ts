import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type PeerCertificate } from "node:tls";
import { beforeAll, expect, test } from "vitest";
import { identityOf, type Identity, type IdentityRole } from "@vigie/proto";
import { createAuthority, issueCertificate, type Authority, type KeyPair } from "./authority.js";

let authority: Authority;
let server: KeyPair;

beforeAll(async () => {
  authority = await createAuthority();
  server = await issueCertificate(authority, { role: "orchestrator", name: "h1.example", days: 1 });
});

function issue(role: IdentityRole, name: string, now?: Date): Promise<KeyPair> {
  return issueCertificate(authority, { role, name, days: 1 }, now);
}

/** A TLS 1.3 handshake on loopback, both ends verified; who the server saw, or why it came to nothing. */
async function handshake(
  serverPair: KeyPair,
  client: KeyPair,
  trusted = authority,
): Promise<Identity | string> {
  const listener = createServer({
    cert: serverPair.certificatePem,
    key: serverPair.keyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
  });
  const seen = new Promise<Identity | string>((resolve) => {
    listener.on("secureConnection", (socket) => resolve(whoIs(socket.getPeerCertificate())));
    listener.on("tlsClientError", (error) => setTimeout(() => resolve(`server: ${error.message}`), 200));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "h1.example",
    ca: trusted.certificatePem,
    cert: client.certificatePem,
    key: client.keyPem,
  });
  const refused = new Promise<string>((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(`client: ${error.code}`));
  });
  try {
    return await Promise.race([seen, refused]);
  } finally {
    socket.destroy();
    listener.close();
  }
}

function whoIs(certificate: PeerCertificate): Identity | string {
  try {
    return identityOf(certificate);
  } catch (error) {
    return (error as Error).message;
  }
}

test("an agent's certificate opens the connection and says which node it is", async () => {
  const agent = await issue("agent", "h2.example");
  expect(await handshake(server, agent)).toEqual({ role: "agent", name: "h2.example" });
});

test("a certificate of the right authority and another role is told apart by its identity", async () => {
  expect(await handshake(server, await issue("viewer", "h2.example"))).toEqual({
    role: "viewer",
    name: "h2.example",
  });
});

test("a client of another authority is refused by the server", async () => {
  const stranger = await issueCertificate(await createAuthority(), { role: "admin", name: "eve", days: 1 });
  expect(await handshake(server, stranger)).toMatch(/^(server: .*|client: .*(CA|ALERT).*)/);
});

test("a server of another authority is refused by the client", async () => {
  const agent = await issue("agent", "h2.example");
  expect(await handshake(server, agent, await createAuthority())).toMatch(
    /^client: .*(VERIFY|SIGNED|ISSUER)/,
  );
});

test("an expired client is refused", async () => {
  const old = await issue("agent", "h2.example", new Date(Date.now() - 10 * 86_400_000));
  expect(await handshake(server, old)).toMatch(/^(server|client): /);
});

test("an expired server is refused", async () => {
  const old = await issue("orchestrator", "h1.example", new Date(Date.now() - 10 * 86_400_000));
  expect(await handshake(old, await issue("agent", "h2.example"))).toBe("client: CERT_HAS_EXPIRED");
});

test("an operator's certificate cannot pose as an orchestrator", async () => {
  const operator = await issueCertificate(authority, {
    role: "operator",
    name: "h1.example",
    dnsNames: ["h1.example"],
    days: 1,
  });
  expect(await handshake(operator, await issue("agent", "h2.example"))).toBe("client: INVALID_PURPOSE");
});

test("an orchestrator of another name is not taken for this one", async () => {
  const other = await issue("orchestrator", "h3.example");
  expect(await handshake(other, await issue("agent", "h2.example"))).toBe(
    "client: ERR_TLS_CERT_ALTNAME_INVALID",
  );
});

test("an issued certificate cannot issue others", async () => {
  const agent = await issue("agent", "h2.example");
  const forged = await issueCertificate(agent, { role: "admin", name: "eve", days: 1 });
  const chained = { ...forged, certificatePem: forged.certificatePem + agent.certificatePem };
  expect(await handshake(server, chained)).toMatch(/^(server|client): /);
});

test("a certificate says what it is for, and no more", () => {
  const ca = new X509Certificate(authority.certificatePem);
  const leaf = new X509Certificate(server.certificatePem);
  expect(ca.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.subjectAltName).toBe("DNS:h1.example, URI:vigie://orchestrator/h1.example");
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
});

test.each([
  [{ role: "agent", name: "H1", days: 1 }, 'the name "H1" is not lower-case'],
  [{ role: "agent", name: "a/b", days: 1 }, 'the name "a/b" is not'],
  [{ role: "agent", name: "h1", days: 0 }, "a validity of 0 days"],
  [{ role: "agent", name: "h1", days: 1, dnsNames: ["a b"] }, '"a b" is not a host name'],
] as const)("a request that makes no sense is refused: %j", async (request, message) => {
  await expect(issueCertificate(authority, request)).rejects.toThrow(message);
});

test("an authority that is no PEM is refused by name", async () => {
  const broken = { certificatePem: "hello", keyPem: "hello" };
  await expect(issueCertificate(broken, { role: "agent", name: "h1", days: 1 })).rejects.toThrow(
    "the authority's certificate or key is not PEM",
  );
});
