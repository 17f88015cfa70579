/** TLS 1.3 at least between agent and orchestrator, tried against real servers and clients of either version. */
import { mkdtempSync, rmSync } from "node:fs";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { Server } from "@grpc/grpc-js";
import { readTlsFiles, type TlsFiles } from "@vigie/proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDial } from "../../agent/src/dial.js";
import { MutualTls } from "../../orchestrator/src/api/server-credentials.js";
import { benchAuthority } from "../bench/certificates.js";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-tls-"));
  const authority = await benchAuthority();
  await authority.writeFiles(folder, "agent", "localhost");
  await authority.writeFiles(folder, "orchestrator", "localhost");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function filesOf(role: "agent" | "orchestrator"): TlsFiles {
  const file = (name: string): string => join(folder, name);
  const tls = { ca: file("ca.pem"), certificate: file(`${role}.pem`), key: file(`${role}.key`) };
  return readTlsFiles("agent.toml", tls);
}

/** @returns the version that an agent's dial agreed on, or how it was refused */
async function dialled(server: Http2SecureServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const agreed = new Promise<string>((resolve) => {
    server.on("secureConnection", (socket) => resolve(socket.getProtocol() ?? "none"));
    server.on("tlsClientError", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
  });
  const dial = createDial(
    () => port,
    () => filesOf("agent"),
  );
  const link = dial("localhost").then(
    (opened) => opened.close(),
    () => undefined,
  );
  const outcome = await agreed;
  server.close();
  void link;
  return outcome;
}

function serverOf(maxVersion: SecureVersion): Http2SecureServer {
  const { ca, certificate: cert, key } = filesOf("orchestrator");
  return createSecureServer({ ca, cert, key, requestCert: true, maxVersion });
}

test("an agent opens no session with a server that offers only TLS 1.2", async () => {
  expect(await dialled(serverOf("TLSv1.2"))).toMatch(/PROTOCOL/);
});

test("with one that offers TLS 1.3 it does", async () => {
  expect(await dialled(serverOf("TLSv1.3"))).toBe("TLSv1.3");
});

test.each<[SecureVersion, RegExp]>([
  ["TLSv1.2", /PROTOCOL/],
  ["TLSv1.3", /^TLSv1\.3$/],
])("the orchestrator's server answers a client of %s with %s", async (maxVersion, outcome) => {
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", new MutualTls(filesOf("orchestrator")), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const { ca, certificate: cert, key } = filesOf("agent");
  const said = await new Promise<string>((resolve) => {
    const options = { ca, cert, key, maxVersion, host: "127.0.0.1", port, servername: "localhost" };
    const socket = connect({ ...options, ALPNProtocols: ["h2"] }, () => {
      resolve(socket.getProtocol() ?? "none");
      socket.destroy();
    });
    socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
  });
  server.forceShutdown();
  expect(said).toMatch(outcome);
});

test("a client without a certificate is refused by the orchestrator's server", async () => {
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", new MutualTls(filesOf("orchestrator")), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const said = await new Promise<string>((resolve) => {
    const options = { ca: filesOf("agent").ca, host: "127.0.0.1", port, servername: "localhost" };
    const socket = connect({ ...options, ALPNProtocols: ["h2"] });
    socket.on("data", () => resolve("it spoke"));
    socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    socket.on("close", () => resolve("closed"));
  });
  server.forceShutdown();
  expect(said).toMatch(/CERTIFICATE_REQUIRED|closed|ECONNRESET/);
});
