/**
 * The settings that hold now. On SIGHUP the file is read again: what can change while the agent runs does, what cannot is
 * told and holds from the next start on, and a file that is not as documented changes nothing.
 */
import { explain } from "@vigie/proto";
import type { AgentConfig } from "./config.js";

/** The node's name and the journal are what this process is built on. */
const AT_START: readonly (keyof AgentConfig)[] = ["node", "state_dir"];

export interface Settings {
  readonly now: () => AgentConfig;
  /** Never throws: what became of it is told. */
  readonly reload: () => void;
}

/**
 * @param read the file, checked as at the start
 * @param tell what became of a reload
 * @param changed gets the settings that hold from now on
 */
export function createSettings(
  first: AgentConfig,
  read: () => AgentConfig,
  tell: (event: string, detail: Record<string, unknown>) => void,
  changed: (config: AgentConfig) => void,
): Settings {
  let current = first;
  return { now: () => current, reload };

  function reload(): void {
    try {
      const next = read();
      const keys = differing(current, next);
      const needsRestart = keys.filter((key) => AT_START.includes(key));
      current = { ...next, node: current.node, state_dir: current.state_dir };
      changed(current);
      tell("config.reloaded", { changed: keys.filter((key) => !needsRestart.includes(key)), needsRestart });
    } catch (error) {
      tell("config.refused", { alarm: true, reason: `${explain(error)}; the settings are as before` });
    }
  }
}

function differing(a: AgentConfig, b: AgentConfig): (keyof AgentConfig)[] {
  const keys = Object.keys(b) as (keyof AgentConfig)[];
  return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}
