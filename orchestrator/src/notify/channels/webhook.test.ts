/** Against a receiver that is written from the specifications: Standard Webhooks, and CloudEvents 1.0 in its JSON form. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { realClock, type Message } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { testMessage } from "../outgoing.js";
import { notifySchema } from "../settings.js";
import { secretOf } from "./standard-webhooks.js";
import { createWebhook } from "./webhook.js";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const TOLERANCE_S = 300;
const MESSAGE: Message = testMessage(
  "m-1",
  { cluster: "c.example", orchestratorNode: "h1", notLeading: "" },
  Date.UTC(2026, 10, 24, 12),
);

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function receiver(answer: RequestListener): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

function webhook(url: string) {
  const [settings] = notifySchema.parse([{ name: "w", type: "webhook", url, secret_file: "/x" }]);
  if (settings?.type !== "webhook") throw new Error("no webhook");
  return createWebhook(settings, secretOf(SECRET) ?? Buffer.alloc(0), realClock);
}

/** "The signature scheme" of the specification: `msg_id.timestamp.payload`, HMAC-SHA256 by the decoded secret, base64. */
function isGenuine({ headers, body }: Received, nowS: number): boolean {
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const [id, timestamp] = [String(headers["webhook-id"]), String(headers["webhook-timestamp"])];
  if (Math.abs(nowS - Number(timestamp)) > TOLERANCE_S) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .map((it) => it.split(","))
    .some(([version, signature = ""]) => {
      const given = Buffer.from(signature, "base64");
      return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

test("a receiver that checks the signature takes it, and not when a byte of the body was changed", async () => {
  const { url, received } = await receiver((_, response) => response.writeHead(204).end());
  expect(await webhook(url).send(MESSAGE)).toBe("204 No Content");
  const [got] = received;
  if (got === undefined) throw new Error("nothing came");
  const nowS = Date.now() / 1000;
  expect(isGenuine(got, nowS)).toBe(true);
  expect(isGenuine({ ...got, body: `${got.body} ` }, nowS)).toBe(false);
  expect(isGenuine(got, nowS + 3600)).toBe(false); // somebody sends it again later
});

test("what is sent again has the same id and body, so that a receiver can tell", async () => {
  const { url, received } = await receiver((_, response) => response.writeHead(500).end("full"));
  const it = webhook(url);
  for (let n = 0; n < 2; n += 1) await expect(it.send(MESSAGE)).rejects.toThrow("it answered 500");
  const [first, second] = received;
  expect(second?.headers["webhook-id"]).toBe("m-1");
  expect(second?.body).toBe(first?.body);
});

test("it is one CloudEvents event, with all that CloudEvents requires", async () => {
  const { url, received } = await receiver((_, response) => response.end());
  await webhook(url).send(MESSAGE);
  expect(received[0]?.headers["content-type"]).toMatch(/^application\/cloudevents\+json/);
  expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
    specversion: "1.0",
    id: "m-1",
    source: "/vigie/c.example",
    type: "vigie.v1.test",
    time: "2026-11-24T12:00:00.000Z",
    datacontenttype: "application/json",
    data: { message: { id: "m-1", reason: "test", items: [] } },
  });
});

test("a redirect is not followed: what is signed for one receiver is not another's", async () => {
  const other = await receiver((_, response) => response.end());
  const { url } = await receiver((_, response) => response.writeHead(307, { location: other.url }).end());
  await expect(webhook(url).send(MESSAGE)).rejects.toThrow("redirects are not followed");
  expect(other.received).toEqual([]);
});

test("why it failed is the receiver's word or the network's, without the address, which may hold a secret", async () => {
  const { url } = await receiver((_, response) => response.writeHead(403).end(`no\n${"x".repeat(100_000)}`));
  await expect(webhook(url).send(MESSAGE)).rejects.toThrow(/^it answered 403 Forbidden: no x{100,200}$/);
  const closed = await receiver(() => undefined);
  servers.pop()?.close();
  await expect(webhook(`${closed.url}/s3cret`).send(MESSAGE)).rejects.toThrow(/^(?!.*s3cret).*ECONNREFUSED/);
});

test("a secret has 24 to 64 bytes in base64, with its prefix or without", () => {
  expect(secretOf(SECRET)).toHaveLength(32);
  expect(secretOf(Buffer.alloc(24).toString("base64"))).toHaveLength(24);
  for (const text of ["", "whsec_", "secret", Buffer.alloc(23).toString("base64"), `${SECRET}!`])
    expect(secretOf(text)).toBeUndefined();
});
