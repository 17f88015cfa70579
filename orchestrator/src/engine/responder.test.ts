/** Before it plans, the responder asks what no agent reports by itself; what is not answered, the plan refuses. */
import {
  ConnectionState,
  Observed,
  Role,
  Source,
  SourceReport,
  SourceState,
  VigieError,
  type Clock,
} from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import { orchestratorConfigSchema } from "../config.js";
import { minorIn, small, viewOf } from "../runbooks/testing.js";
import { withNode, type ClusterView } from "../view/cluster-view.js";
import { foldObserved } from "../view/node-view.js";
import { NOW_MS } from "../view/testing.js";
import { createResponder, type Responder, type ResponderParts } from "./responder.js";

const clock: Clock = { monotonicMs: () => NOW_MS, wallUnixMs: () => 0, sleep: async () => undefined };
const UUIDS: Readonly<Record<string, string>> = { h1: "1A2B3C4D5E6F7081", h2: "9F8E7D6C5B4A3920" };

let view: ClusterView;
let asked: string[];
let silent: Set<string>;
let responder: Responder;

beforeEach(() => {
  view = viewOf(
    small((world) => {
      for (const node of ["h1", "h2"])
        Object.assign(minorIn(world, node, 0), {
          connection: ConnectionState.STAND_ALONE,
          peerRole: Role.UNKNOWN,
        });
    }),
  );
  asked = [];
  silent = new Set();
  const executor = { open: () => [] };
  const parts: Partial<ResponderParts> = {
    executor: executor as unknown as ResponderParts["executor"],
    clock,
    config: () => orchestratorConfigSchema.parse({}),
    view: () => view,
    observe: async (node, source, { minor = -1 }) => {
      asked.push(`${node} ${source} ${minor}`);
      if (silent.has(node)) throw new VigieError("UNAVAILABLE", `${node} did not read in time`);
      answer(node, minor);
    },
  };
  responder = createResponder(parts as ResponderParts); // a plan needs no more
});

function answer(node: string, minor: number): void {
  const known = view.nodes.get(node);
  if (known === undefined) throw new Error(`no node ${node}`);
  const value = { minor, currentUuid: UUIDS[node] ?? "", bitmapUuid: "", historyUuids: [], flags: "" };
  const report = SourceReport.create({
    source: Source.DRBD_GENERATIONS,
    state: SourceState.OK,
    facts: { $case: "drbdGenerations", value },
  });
  view = withNode(view, foldObserved(known, Observed.create({ report }), NOW_MS), "h1");
}

test("the generations of both ends are asked for, and the plan stands on the answers", async () => {
  const plan = await responder.plan("resolve-split-brain", { instance: "web1", victim: "h2" }, undefined);
  expect(asked).toEqual([`h1 ${Source.DRBD_GENERATIONS} 0`, `h2 ${Source.DRBD_GENERATIONS} 0`]);
  expect(plan.refusals).toEqual([]);
  expect(plan.notes.join("\n")).toContain(`generation ${UUIDS["h2"]}`);
});

test("an agent that does not answer leaves the old facts, and the plan refuses by itself (I7)", async () => {
  silent.add("h2");
  const plan = await responder.plan("resolve-split-brain", { instance: "web1", victim: "h2" }, undefined);
  expect(plan.refusals).toEqual(["disk/0: the generations of h2 are not known: ask again"]);
  expect(plan.steps).toEqual([]);
});

test("a runbook that has no question asks nobody", async () => {
  await responder.plan("relocate-secondaries", { node: "h3" }, undefined);
  expect(asked).toEqual([]);
});
