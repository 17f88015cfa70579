/** Ganeti's watcher waits while a run takes apart what it would put together (I31). */
import { Source, type PauseWatcher } from "@vigie/proto";
import { checkWhole } from "../argument-types.js";
import { MASTER, type ActionDefinition, type Look } from "./action.js";
import { pauseWatcherFor } from "./ganeti-commands.js";

const FOR_MIN_S = 60;
const FOR_MAX_S = 86_400;
const SLACK_S = 30; // from the command's own look at the clock until ours
export const WATCHER_LOCK = "Ganeti's watcher";

export const pauseWatcher: ActionDefinition<PauseWatcher> = {
  name: "pauseWatcher",
  about: () => MASTER,
  check: ({ forS }) => checkWhole(forS, FOR_MIN_S, FOR_MAX_S, "time to pause the watcher, in s"),
  locks: () => [WATCHER_LOCK],
  guard: () => Promise.resolve([]), // it goes on by itself, and waiting harms nothing
  holds: async ({ forS }, look) => {
    const leftS = await pausedForS(look);
    return typeof leftS === "number" && leftS >= forS && { message: `it is paused for another ${leftS} s` };
  },
  identity: () => Promise.resolve([]),
  steps: ({ forS }) => [{ run: pauseWatcherFor(forS) }],
  verify: async ({ forS }, look) => {
    const leftS = await pausedForS(look);
    if (typeof leftS === "string") return { done: "unknown", message: leftS };
    return { done: leftS >= forS - SLACK_S, message: `the watcher is paused for ${leftS} s` };
  },
};

/** @returns s from now by the master's clock, which is this node's; 0: not paused; a text: why it is not known */
export async function pausedForS(look: Look): Promise<number | string> {
  const { facts, reason } = await look.read(Source.GANETI);
  if (facts?.$case !== "ganeti") return `whether the watcher is paused is not known: ${reason}`;
  const untilS = facts.value.watcherPausedUntilUnixS;
  return Math.max(0, untilS - Math.floor(look.host.wallUnixMs() / 1000));
}
