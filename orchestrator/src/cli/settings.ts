/** Where the orchestrator is and who asks: /etc/vigie/vigie.toml, or another file by --config or VIGIE_CONFIG. */
import { accessSync, constants, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { configError, readConfigFile, VigieError } from "@vigie/proto";
import * as z from "zod";

export const DEFAULT_CONFIG = "/etc/vigie/vigie.toml";
const ADDRESS = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/;

const SCHEMA = z.strictObject({
  server: z.string().regex(ADDRESS, "host:port"),
  ca: z.string().min(1),
  certificate: z.string().min(1),
  key: z.string().min(1),
});

export interface Settings {
  readonly server: string; // host:port
  readonly ca: Buffer; // PEM, as are the two below
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface SettingsOptions {
  readonly config?: string | undefined; // of --config
  readonly server?: string | undefined; // of --server
}

/** Paths in the file are relative to its folder. */
export function readSettings(
  options: SettingsOptions,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  if (options.server !== undefined && !ADDRESS.test(options.server)) {
    throw new VigieError("INVALID_ARGUMENT", `--server ${JSON.stringify(options.server)} is not host:port`);
  }
  const file = options.config ?? (env["VIGIE_CONFIG"] || DEFAULT_CONFIG);
  const config = readConfigFile(file, SCHEMA);
  const pem = (key: PemKey): Buffer => readPem(file, key, resolve(dirname(file), config[key]));
  const pair = { ca: pem("ca"), certificate: pem("certificate"), key: pem("key") };
  try {
    createSecureContext({ ca: pair.ca, cert: pair.certificate, key: pair.key });
  } catch {
    const got = `another one, or a damaged file: ${config.key}`;
    throw configError(file, ["key"], "the private key of `certificate`", got);
  }
  return { server: options.server ?? config.server, ...pair };
}

type PemKey = "ca" | "certificate" | "key";

function readPem(file: string, key: PemKey, path: string): Buffer {
  const text = readOrRefuse(file, key, path);
  if (text.includes("-----BEGIN ")) return text;
  throw configError(file, [key], "a PEM file", `${path}, which is none`);
}

function readOrRefuse(file: string, key: PemKey, path: string): Buffer {
  try {
    accessSync(path, constants.R_OK);
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    const why =
      code === "ENOENT"
        ? "no such file"
        : code === "EACCES"
          ? "a file that you may not read"
          : "an unreadable one";
    throw configError(file, [key], "a readable file", `${why}: ${path}`);
  }
}
