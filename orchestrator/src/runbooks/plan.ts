/** A plan around its steps: what every runbook fills in the same way. */
import { ConfigSerial, Parameter, Plan, type PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import type { Runbook, RunbookRequest } from "./runbook.js";

export interface PlanParts {
  readonly subject: string;
  /** With names in full; empty values are left out. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly steps: readonly PlanStep[];
  readonly touches: Touches;
  readonly notes?: readonly string[];
  readonly refusals?: readonly string[];
  readonly wayOut?: readonly string[];
  readonly typedWord?: string;
  readonly destructive: boolean;
  readonly mayJoinWaiting?: boolean;
}

/** What no other run may touch meanwhile (I9, I10), and whose configuration the plan stands on (I15). */
export interface Touches {
  readonly instances?: Iterable<string>;
  readonly nodes?: Iterable<string>;
  readonly resources?: Iterable<Resource>;
  /** What one run at a time may do in the whole cluster (I9). */
  readonly alone?: string;
}

export function makePlan(runbook: Runbook, request: RunbookRequest, parts: PlanParts): Plan {
  const refusals = unique(parts.refusals ?? []);
  const given = runbook.parameters
    .map(({ name }) => Parameter.create({ name, value: parts.parameters[name] ?? "" }))
    .filter(({ value }) => value !== "");
  return Plan.create({
    runbook: runbook.name,
    runbookVersion: runbook.version,
    incidentId: request.incidentId,
    subject: parts.subject,
    parameters: given,
    steps: [...parts.steps],
    configSerials: configSerials(request.view, parts.touches),
    plannedUnixMs: request.wallUnixMs,
    refusals,
    locks: locks(parts.touches),
    notes: unique(parts.notes ?? []),
    typedWord: parts.typedWord ?? "",
    wayOut: refusals.length === 0 ? [] : unique(parts.wayOut ?? []),
    destructive: parts.destructive,
    mayJoinWaiting: parts.mayJoinWaiting ?? false,
  });
}

function locks({ instances = [], nodes = [], resources = [], alone }: Touches): string[] {
  const held = new Set<string>(alone === undefined ? [] : [`cluster: ${alone}`]);
  for (const name of instances) held.add(`instance ${name}`);
  for (const name of nodes) held.add(`node ${name}`);
  for (const resource of resources) {
    held.add(`instance ${resource.instance}`);
    held.add(`disk ${resource.key}`);
    const pair = resource.ends.map((end) => end.node).toSorted();
    if (pair.length === 2) held.add(`pair ${pair.join(" ")}`);
  }
  return [...held].toSorted();
}

function configSerials(view: ClusterView, { instances = [], nodes = [], resources = [] }: Touches) {
  const names = new Set([...instances, ...[...resources].map((r) => r.instance)]);
  const wanted = new Set(nodes);
  const ofInstances = [...names]
    .map((name) => view.instances.get(name))
    .filter((instance) => instance !== undefined)
    .map(({ name, serial }) => ConfigSerial.create({ kind: "instance", name, serial }));
  const ofNodes = (view.inventory?.nodes ?? [])
    .filter(({ name }) => wanted.has(name))
    .map(({ name, serial }) => ConfigSerial.create({ kind: "node", name, serial }));
  return [...ofInstances, ...ofNodes].toSorted((a, b) =>
    compare(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}

/** The node where gnt-* commands are typed. */
export function masterOf(view: ClusterView): string {
  return view.ssconf?.masterNode || view.ownNode;
}
