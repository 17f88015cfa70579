/** Asks Vigie as its user does: the `vigie` command on a node, in JSON. */
import type { Lab, LabNode } from "../lab.js";

export interface ToldIncident {
  readonly id: string;
  readonly kind: string; // "stalled-sync"
  readonly state: string; // "open", "healing", "needs-person", "closed"
  readonly summary: string;
  readonly run_id: string;
  readonly subject: { readonly node: string; readonly instance: string; readonly device: string };
  readonly opened_unix_ms: number;
  readonly closed_unix_ms: number;
  readonly last_progress_unix_ms: number;
  readonly decision: readonly string[];
}

export interface ToldRun {
  readonly id: string;
  readonly state: string; // "running", "succeeded", "failed", …
  readonly events: readonly ToldRow[];
}

export interface ToldRow {
  readonly unix_ms: number;
  readonly kind: string; // "step-verified"
  readonly step_id: string;
  readonly text: string;
  readonly attempt: number;
  readonly result: {
    readonly outcome: string; // "done", "refused"
    readonly commands: readonly { readonly argv: readonly string[]; readonly duration_ms: number }[];
  } | null; // of an agent's answer only
}

export interface Asked {
  readonly incidents: () => Promise<readonly ToldIncident[]>; // newest first, closed ones too
  readonly run: (id: string) => Promise<ToldRun>;
  readonly status: () => Promise<ToldStatus>;
  /** Looks every second until it holds. @throws Error with what was last seen */
  readonly until: <T>(what: string, look: () => Promise<T | undefined>, seconds: number) => Promise<T>;
}

export interface ToldStatus {
  readonly nodes_reporting: number;
  readonly resources_total: number;
  readonly resources_healthy: number;
  readonly leadership: { readonly leads: boolean; readonly epoch: number };
  readonly incidents_open: number;
}

export function askVigie(lab: Lab, from: LabNode = lab.node("h1")): Asked {
  const json = async (command: string): Promise<unknown> => {
    const { stdout, stderr, exitCode } = await from.run(`vigie ${command} --json`, { allowFailure: true });
    if (exitCode !== 0 && exitCode !== 10) throw new Error(`vigie ${command}: exit ${exitCode}: ${stderr}`);
    return JSON.parse(stdout);
  };
  return {
    incidents: async () => ((await json("incidents --all")) as { incidents: ToldIncident[] }).incidents,
    run: async (id) => (await json(`run show ${id}`)) as ToldRun,
    status: async () => ((await json("status")) as { status: ToldStatus }).status,
    until,
  };
}

async function until<T>(what: string, look: () => Promise<T | undefined>, seconds: number): Promise<T> {
  const endMs = Date.now() + seconds * 1000;
  let problem = "";
  while (Date.now() < endMs) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      problem = `; last problem: ${String(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what}: not within ${seconds} s${problem}`);
}
