/** The channels of the configuration, with their secrets read. */
import { readFileSync } from "node:fs";
import { configError, type Clock } from "@vigie/proto";
import type { Channel } from "../channel.js";
import type { ChannelSettings } from "../settings.js";
import { createAlertmanager } from "./alertmanager.js";
import { createMail } from "./mail.js";
import { secretOf } from "./standard-webhooks.js";
import { createWebhook } from "./webhook.js";

/**
 * @param configFile to name in a complaint
 * @throws BAD_CONFIG where a file with a secret cannot be read, or holds none
 */
export function createChannels(
  configFile: string,
  settings: readonly ChannelSettings[],
  ownNode: string,
  clock: Clock,
): Channel[] {
  return settings.map((it, n): Channel => {
    const at = (key: string): readonly (string | number)[] => ["notify", n, key];
    switch (it.type) {
      case "webhook": {
        const key = secretOf(readSecret(configFile, at("secret_file"), it.secret_file));
        const expected = "a file with base64 of 24 to 64 bytes, such as: whsec_$(openssl rand -base64 32)";
        if (key === undefined)
          throw configError(configFile, at("secret_file"), expected, `${it.secret_file}, which holds none`);
        return createWebhook(it, key, clock);
      }
      case "mail": {
        const file = it.password_file;
        return createMail(
          it,
          ownNode,
          file === undefined ? "" : readSecret(configFile, at("password_file"), file),
        );
      }
      case "alertmanager":
        return createAlertmanager(it, clock);
    }
  });
}

function readSecret(configFile: string, key: readonly (string | number)[], path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "which is not there" : "which cannot be read";
    throw configError(configFile, key, "a file with the secret", `${path}, ${why}`);
  }
}
