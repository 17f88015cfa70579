/** A bug that is planted at a seam, never in a source file: proof that the judge sees what it is there to see. */
import type { Host, Journal } from "@vigie/agent";
import type { Orchestrator } from "@vigie/orchestrator";
import type { Clock, Run } from "@vigie/proto";
import type { NodeModel } from "../../simulator/node-model.js";
import type { WireHooks } from "../../simulator/wire.js";
import type { Counted } from "../exposure.js";

export interface Mutant {
  readonly name: string;
  /** What the judge must say of it. */
  readonly breaks: RegExp;
  /** What brings it to light: half of the storm is drawn from these, and the trouble; empty: from all. */
  readonly focus: { readonly troubles: readonly string[]; readonly disturbances: readonly Counted[] };
  readonly host: (host: Host, node: NodeModel) => Host;
  /** What the agent makes of what is read, whatever is wrong with that. */
  readonly reads: (host: Host) => Host;
  readonly journal: (journal: Journal) => Journal;
  readonly clock: (clock: Clock) => Clock; // the orchestrator's
  readonly wire: Partial<WireHooks>;
  /** The orchestrator as a person reaches it. */
  readonly asked: (orchestrator: Orchestrator) => Orchestrator;
  /** The plan that the engine holds may be changed here. */
  readonly planned: (run: Run) => void;
  /** A person's yes is taken for given. */
  readonly asksNobody: boolean;
}

export const HEALTHY: Mutant = {
  name: "none",
  breaks: /$^/,
  focus: { troubles: [], disturbances: [] },
  host: (host) => host,
  reads: (host) => host,
  journal: (journal) => journal,
  clock: (clock) => clock,
  wire: {},
  asked: (orchestrator) => orchestrator,
  planned: () => undefined,
  asksNobody: false,
};

export function mutant(name: string, breaks: RegExp, planted: Partial<Mutant>): Mutant {
  return { ...HEALTHY, ...planted, name, breaks };
}
