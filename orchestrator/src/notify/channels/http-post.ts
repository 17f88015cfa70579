/** One POST by Node's own fetch: with a limit of time, without following redirects, and a short answer for people. */
import { VigieError } from "@vigie/proto";
import { printable } from "../../wording/printable.js";

const WITHIN_MS = 10_000;
const ANSWER_MAX = 200; // characters that are kept

/**
 * @returns "200 OK" and the beginning of what the receiver says
 * @throws VigieError UNAVAILABLE where it does not answer in time, or answers with anything but 2xx; neither the address,
 *   which may hold a secret, nor what was sent is in its message
 */
export async function httpPost(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<string> {
  const response = await post(url, headers, body);
  const said = await beginningOf(response);
  const answer = `${response.status} ${response.statusText}`.trim() + (said === "" ? "" : `: ${said}`);
  if (response.ok) return answer;
  const redirects = response.status >= 300 && response.status < 400;
  throw new VigieError(
    "UNAVAILABLE",
    `it answered ${answer}${redirects ? "; redirects are not followed" : ""}`,
  );
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(WITHIN_MS);
    return await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  } catch (error) {
    throw new VigieError("UNAVAILABLE", whyNot(error));
  }
}

/** Of fetch's own words, which are "fetch failed", the cause alone says something. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${WITHIN_MS / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return cause.message === "" ? code || error.message : cause.message;
}

/** Read no further than is shown: a receiver must not fill the memory. */
async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length >= ANSWER_MAX) break;
    }
  } catch {
    return text === "" ? "" : "its answer broke off"; // the status has come, and counts
  }
  return printable(text.slice(0, ANSWER_MAX).replaceAll(/\s+/g, " ").trim());
}
