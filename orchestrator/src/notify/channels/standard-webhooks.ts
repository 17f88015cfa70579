/** The signature of Standard Webhooks, version v1: HMAC-SHA256 over id, time and body, by a secret that both sides have. */
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";
const [SECRET_MIN, SECRET_MAX] = [24, 64]; // bytes, by the specification

/** @returns the key; undefined where the text is no secret: base64 of 24 to 64 bytes, with "whsec_" before it or without */
export function secretOf(text: string): Buffer | undefined {
  const encoded = text.trim().replace(PREFIX, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, "base64");
  return key.length >= SECRET_MIN && key.length <= SECRET_MAX ? key : undefined;
}

/** @param unixMs of sending, which a receiver compares with its own clock: a repetition gets a new one, and the same id */
export function signatureHeaders(
  key: Buffer,
  id: string,
  unixMs: number,
  body: string,
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(unixMs / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
