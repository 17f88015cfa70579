/**
 * LUXI, Ganeti's own socket on the master: JSON ended by the byte 3. Configuration fields come back in under a
 * millisecond, where `gnt-instance list` takes seconds. Source: ganeti lib/rpc/transport.py, src/Ganeti/Luxi.hs.
 */
import { VigieError } from "@vigie/proto";
import type { Host } from "../host.js";
import { quote } from "./cursor.js";
import { asArray, asObject, parseJson, type JsonObject } from "./json.js";

const SOCKET = "/var/run/ganeti/socket/ganeti-query";
const END = "\x03";
const TIMEOUT_MS = 1_500;

/** One value of a Query answer. Status 0: normal; 1 unknown field, 2 no data, 3 unavailable, 4 the node is offline. */
export interface Cell {
  readonly status: number;
  readonly value: unknown;
}

export type Row = Readonly<Record<string, Cell>>;

export interface Luxi {
  /** @throws VigieError SOURCE_FAILED, PARSE_FAILED */
  readonly call: (method: string, args: readonly unknown[], timeoutMs?: number) => Promise<unknown>;
}

/**
 * @param releaseVersion of the cluster ("3.0.2"), from ssconf: a server refuses another version's requests, and then
 *   says its own, which is used from then on
 */
export function createLuxi(host: Host, releaseVersion: string): Luxi {
  let version = luxiVersion(releaseVersion);
  return {
    call: async (method, args, timeoutMs = TIMEOUT_MS) => {
      const asked = version; // calls run side by side, and another one may learn the server's meanwhile
      const reply = await exchange(host, { method, args, version: asked }, timeoutMs);
      const servers = serversVersion(reply);
      if (servers === undefined || servers === asked) return resultOf(reply, method);
      version = servers;
      return resultOf(await exchange(host, { method, args, version }, timeoutMs), method);
    },
  };
}

/** "3.0.2" is 3000000, "2.16.1" is 2160000: a revision does not change the protocol. */
export function luxiVersion(releaseVersion: string): number {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)\./.exec(releaseVersion) ?? [];
  return Number(major) * 1_000_000 + Number(minor) * 10_000;
}

/**
 * The rows of a Query answer, each by field name.
 * @throws VigieError PARSE_FAILED where the answer is not of those fields
 */
export function rowsOf(result: unknown, fields: readonly string[]): Row[] {
  const answer = asObject(result, "the answer");
  const names = asArray(answer["fields"], "fields").map((field) => asObject(field, "a field")["name"]);
  if (names.join() !== fields.join()) throw new VigieError("PARSE_FAILED", "the answer has other fields");
  return asArray(answer["data"], "data").map((row) => rowOf(asArray(row, "a row"), fields));
}

function rowOf(cells: readonly unknown[], fields: readonly string[]): Row {
  if (cells.length !== fields.length)
    throw new VigieError("PARSE_FAILED", "a row has another number of fields");
  return Object.fromEntries(fields.map((field, index) => [field, cellOf(cells[index])]));
}

function cellOf(cell: unknown): Cell {
  const [status, value] = asArray(cell, "a cell");
  if (typeof status !== "number") throw new VigieError("PARSE_FAILED", "a cell has no status");
  return { status, value };
}

interface Request {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly version: number;
}

async function exchange(host: Host, request: Request, timeoutMs: number): Promise<JsonObject> {
  const text = await host
    .exchange(SOCKET, JSON.stringify(request), END, timeoutMs)
    .catch((cause: unknown) => {
      throw new VigieError("SOURCE_FAILED", "the LUXI socket did not answer", { cause });
    });
  return asObject(parseJson(text, "the LUXI reply"), "the LUXI reply");
}

/** Said in a refusal ("LUXI version mismatch, server 3000000, request 2160000"), or beside a result. */
function serversVersion(reply: JsonObject): number | undefined {
  if (reply["success"] === true) return undefined;
  const said = /version mismatch.{0,40}server[^\d]{0,12}(?<version>\d{7})/i.exec(
    JSON.stringify(reply["result"] ?? ""),
  );
  const version = said?.groups?.["version"];
  return version === undefined ? undefined : Number(version);
}

function resultOf(reply: JsonObject, method: string): unknown {
  if (reply["success"] === true) return reply["result"];
  const said = JSON.stringify(reply["result"] ?? "");
  throw new VigieError("SOURCE_FAILED", `LUXI refused ${method}: ${quote(said)}`);
}
