/** The orchestrator's own channels, lent to a test: it runs where the receivers are, in their root and their network. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realClock, type Message, type MessageItem } from "@vigie/proto";
import type { Channel } from "../../../orchestrator/src/notify/channel.js";
import { createChannels } from "../../../orchestrator/src/notify/channels/index.js";
import { notifySchema } from "../../../orchestrator/src/notify/settings.js";
import { answerCalls } from "./answer-calls.js";

const FOLDER = "/run/vigie-test";
const CONFIG = join(FOLDER, "orchestrator.toml");

answerCalls({
  write: async (name: string, text: string) => {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, name), text);
    return join(FOLDER, name);
  },
  send: async (settings: object, message: Message) => channelOf(settings).send(message),
  refresh: async (settings: object, standing: readonly MessageItem[]) =>
    channelOf(settings).refresh?.send(standing, "cluster.example"),
  get: async (url: string) => (await fetch(url)).json(),
  mails: async (folder: string) => mailsIn(folder),
});

/** As the orchestrator makes it from its configuration, secrets and all. */
function channelOf(settings: object): Channel {
  const [channel] = createChannels(CONFIG, notifySchema.parse([settings]), "h1.example", realClock);
  if (channel === undefined) throw new Error("no channel");
  return channel;
}

/** Oldest first. */
function mailsIn(folder: string): string[] {
  const names = readdirSync(folder).toSorted((a, b) => a.localeCompare(b));
  return names.map((name) => readFileSync(join(folder, name), "utf8"));
}
