/** A signed POST: one CloudEvents 1.0 event a message, in its JSON form; `data` is the Message as --json would print it. */
import { MessageReason, type Clock, type Message } from "@vigie/proto";
import { toJson } from "../../wording/json.js";
import type { Channel } from "../channel.js";
import { rulesOf } from "../rules-of.js";
import type { WebhookSettings } from "../settings.js";
import { bodyText, headline } from "../text.js";
import { httpPost } from "./http-post.js";
import { signatureHeaders } from "./standard-webhooks.js";

export function createWebhook(settings: WebhookSettings, key: Buffer, clock: Clock): Channel {
  return {
    name: settings.name,
    type: "webhook",
    rules: rulesOf(settings),
    send: async (message) => {
      const body = JSON.stringify(cloudEvent(message));
      const headers = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        ...signatureHeaders(key, message.id, clock.wallUnixMs(), body),
      };
      return httpPost(settings.url, headers, body);
    },
  };
}

const TYPES: Readonly<Record<MessageReason, string>> = {
  [MessageReason.NEWS]: "vigie.v1.news",
  [MessageReason.REMINDER]: "vigie.v1.reminder",
  [MessageReason.TEST]: "vigie.v1.test",
  [MessageReason.UNSPECIFIED]: "vigie.v1.message",
  [MessageReason.UNRECOGNIZED]: "vigie.v1.message",
};

export function cloudEvent(message: Message): object {
  const [only, ...others] = message.items;
  return {
    specversion: "1.0",
    id: message.id,
    source: `/vigie/${encodeURIComponent(message.cluster || message.orchestratorNode)}`,
    type: TYPES[message.reason],
    time: new Date(message.unixMs).toISOString(),
    ...(only === undefined || others.length > 0 ? {} : { subject: only.about }),
    datacontenttype: "application/json",
    data: { title: headline(message), text: bodyText(message), message: toJson(message) },
  };
}
