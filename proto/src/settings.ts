/**
 * The settings that hold now. On SIGHUP the file is read again: what can change while the process runs does, what cannot
 * is told and holds from the next start on, and a file that is not as documented changes nothing.
 */
import { explain } from "./errors.js";

export interface Settings<C> {
  readonly now: () => C;
  /** Never throws: what became of it is told. */
  readonly reload: () => void;
}

export interface SettingsParts<C> {
  /** The file, checked as at the start. */
  readonly read: () => C;
  /** The keys of what this process is built on: they hold until its next start. */
  readonly atStart: readonly (keyof C & string)[];
  /** What became of a reload. */
  readonly tell: (event: string, detail: Record<string, unknown>) => void;
  /** Gets the settings that hold from now on. */
  readonly changed: (config: C) => void;
}

export function createSettings<C extends object>(
  first: C,
  { read, atStart, tell, changed }: SettingsParts<C>,
): Settings<C> {
  let current = first;
  return { now: () => current, reload };

  function reload(): void {
    try {
      const next = read();
      const keys = differing(current, next);
      const needsRestart = keys.filter((key) => atStart.includes(key));
      const kept = Object.fromEntries(atStart.map((key) => [key, current[key]]));
      current = { ...next, ...kept };
      changed(current);
      tell("config.reloaded", { changed: keys.filter((key) => !needsRestart.includes(key)), needsRestart });
    } catch (error) {
      tell("config.refused", { alarm: true, reason: `${explain(error)}; the settings are as before` });
    }
  }
}

function differing<C extends object>(a: C, b: C): (keyof C & string)[] {
  const keys = Object.keys({ ...b, ...a }) as (keyof C & string)[];
  return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}
