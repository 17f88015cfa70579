/** What every trouble has in common: a way to make it for real, and a way back that is safe to run twice. */
import { ensureInstance } from "../cluster/instance.js";
import type { InstanceDisk } from "../cluster/configuration.js";
import type { Lab } from "../lab.js";
import type { NodeName } from "../nodes.js";

/** A trouble takes what concerns it and has a default for the rest. */
export interface TroubleParams {
  readonly instance?: string; // web1.lab.example when absent; made where there is none
  readonly node?: NodeName; // the node that has the trouble; each trouble names its default
  readonly peer?: NodeName; // for a cut between two nodes: the other one
  readonly daemon?: string; // for ganeti-down: noded when absent
}

export interface Trouble {
  readonly name: string;
  readonly about: string; // one line, with the default node
  /** Resolves when the trouble is there, seen in the kernel or in Ganeti, with what was seen. */
  readonly make: (lab: Lab, params: TroubleParams) => Promise<string>;
  readonly mend: (lab: Lab, params: TroubleParams) => Promise<void>;
}

export function diskOf(lab: Lab, params: TroubleParams): Promise<InstanceDisk> {
  return ensureInstance(lab, params.instance ?? "web1.lab.example");
}

/** The node that the parameters name, as a side of the disk. */
export function sideOf(disk: InstanceDisk, params: TroubleParams, standard: "primary" | "secondary") {
  if (params.node === undefined) return disk[standard];
  const found = [disk.primary, disk.secondary].find((side) => side.node === params.node);
  if (found === undefined) throw new Error(`${disk.instance} has no copy on ${params.node}`);
  return found;
}
