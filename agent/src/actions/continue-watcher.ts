/** Ganeti's watcher goes on. */
import type { ContinueWatcher } from "@vigie/proto";
import { MASTER, type ActionDefinition } from "./action.js";
import { continueWatcherNow } from "./ganeti-commands.js";
import { pausedForS, WATCHER_LOCK } from "./pause-watcher.js";

export const continueWatcher: ActionDefinition<ContinueWatcher> = {
  name: "continueWatcher",
  takesBack: true,
  about: () => MASTER,
  check: () => undefined,
  locks: () => [WATCHER_LOCK],
  guard: () => Promise.resolve([]),
  holds: async (_params, look) => (await pausedForS(look)) === 0 && { message: "the watcher is not paused" },
  identity: () => Promise.resolve([]),
  steps: () => [{ run: continueWatcherNow() }],
  verify: async (_params, look) => {
    const leftS = await pausedForS(look);
    if (typeof leftS === "string") return { done: "unknown", message: leftS };
    return { done: leftS === 0, message: leftS === 0 ? "it goes on" : `it is paused for another ${leftS} s` };
  },
};
