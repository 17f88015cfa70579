/**
 * Five hundred actions with one identity taken for another (I12, I13, I16): each comes to a real agent at the very
 * moment when the right one would be performed. Nothing is run for any of them; then the right one is performed.
 */
import { ActionOutcome, ActionRequest, DiskIdentity, StepKind, VolumeMap, type PlanStep } from "@vigie/proto";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { answered, begin, createPlay, type Play } from "../simulator/play.js";
import { plug, type NodeModel } from "../simulator/node-model.js";
import { STAGES, type Stage } from "../simulator/stages.js";
import { volumeNames, type World } from "../simulator/world.js";
import { ask, LIMIT_S, TEST_MS } from "./disturbed.js";
import { swap, type Kind, type Others } from "./swap.js";

const WANTED = 500;
const OURS = 1_000; // attempts from here on are this test's

/** Steps that change something of a node's own, by the runbook's stage. */
const LOCAL: readonly (readonly [string, string])[] = [
  ["web1's resync stands", "cut-link"],
  ["h2's disk fails: a guest runs on it, and another's second copy lies there", "set-disk-offline"],
  ["h2's disk fails: a guest runs on it, and another's second copy lies there", "detach-1"],
  ["h2's disk fails: a guest runs on it, and another's second copy lies there", "remove-volume-maps"],
  ["h2's disk fails: a guest runs on it, and another's second copy lies there", "delete-disk"],
  ["h2 has a new disk beside the old one", "adopt-disk"],
  ["web1 is stopped, its minor on h1 is held by partition maps and a process", "unmap-partitions"],
  ["web1 is stopped, its minor on h1 is held by partition maps and a process", "down-minor"],
  ["web1 was written on both nodes", "snapshot-0"],
  ["web1 was written on both nodes", "discard-0"],
];
const EACH = Math.ceil(WANTED / LOCAL.length);

/** What is meant by mistake may be as the action leaves it already: then nothing is run either. */
const NOTHING_DONE = [ActionOutcome.REFUSED, ActionOutcome.ALREADY_SO];

let play: Play | undefined;
let nothingDone = 0;
afterEach(() => {
  play?.cluster.end();
  play = undefined;
});
afterAll(() => expect(nothingDone).toBeGreaterThanOrEqual(WANTED));

describe("an action with a swapped identity runs nothing", { timeout: TEST_MS }, () => {
  test.each(LOCAL)("%s: %s", async (title, stepId) => {
    const on = await cameTo(stageOf(title), stepId);
    const { step, request } = due(on, stepId);
    const pick = numbers(title.length + stepId.length);
    const { world } = on.cluster;
    const others = othersIn(world);
    const ranBefore = world.ran.length;
    const tried: string[] = [];
    for (let made = 0; tried.length < EACH; made += 1) {
      const swapped = swap(step, others, pick);
      if (swapped === undefined) continue;
      const node = nodeOf(swapped.kind) ?? request.node;
      const result = await answered(
        on,
        ask(
          on,
          ActionRequest.create({ ...request, node, attempt: OURS + made, action: { kind: swapped.kind } }),
        ),
      );
      tried.push(swapped.what);
      expect(NOTHING_DONE, `${swapped.what}: ${result.message}`).toContain(result.outcome);
      expect(world.ran.slice(ranBefore), swapped.what).toEqual([]);
    }
    nothingDone += tried.length;
    const right = { ...request, attempt: OURS + 100_000, action: { kind: step } };
    const { outcome, message } = await answered(on, ask(on, ActionRequest.create(right)));
    expect(outcome, message).toBe(ActionOutcome.DONE);
  });
});

function stageOf(title: string): Stage {
  const stage = STAGES.find((each) => each.title === title);
  if (stage === undefined) throw new Error(`no stage: ${title}`);
  return stage;
}

/** The run has sent this step's request, and it was lost on its way. */
async function cameTo(stage: Stage, stepId: string): Promise<Play> {
  const on = await createPlay(stage);
  play = on;
  let lost = false;
  on.cluster.hooks.loses = (request) => {
    const isIt = request.stepId === stepId && request.attempt < OURS;
    lost ||= isIt;
    return isIt;
  };
  for (const name of ["h1", "h3"]) spare(on.cluster.world, name);
  await begin(on);
  await on.until(`the request of ${stepId}`, () => lost, LIMIT_S);
  return on;
}

/** Each other node has a second disk, which could be meant. */
function spare({ nodes }: World, name: string): void {
  const node = nodes.get(`${name}.sim.example`);
  if (node !== undefined) plug(node, "sdb");
}

function due(on: Play, stepId: string): { readonly step: Kind; readonly request: ActionRequest } {
  const step: PlanStep | undefined = on.plan?.steps.find(
    ({ id, kind }) => id === stepId && kind === StepKind.ACT,
  );
  const request = on.cluster.requests.findLast((each) => each.stepId === stepId);
  if (step?.action?.kind === undefined || request === undefined) throw new Error(`no request of ${stepId}`);
  return { step: step.action.kind, request };
}

/** A request goes to the node that it is about, where its end or its disk was swapped with another's. */
function nodeOf(kind: Kind): string | undefined {
  if ("end" in kind.value) return kind.value.end?.node;
  return "disk" in kind.value ? kind.value.disk?.node : undefined;
}

function othersIn({ nodes, disks }: World): Others {
  const all = [...nodes.values()];
  return {
    minors: disks.flatMap(({ ends }) => ends.map(({ minor }) => minor)),
    ports: disks.map(({ port }) => port),
    addresses: all.map(({ address }) => address),
    volumes: disks.map((disk) => `kvmvg/${volumeNames(disk).data}`),
    nodes: all.map(({ name }) => name),
    boots: all.map(({ bootId }) => bootId),
    disks: all.flatMap(identities),
    maps: all.flatMap(({ maps }) => maps.map(({ name, uuid }) => VolumeMap.create({ name, uuid }))),
  };
}

function identities(node: NodeModel): DiskIdentity[] {
  return node.disks.map(({ pv, ...disk }) =>
    DiskIdentity.create({
      ...disk,
      node: node.name,
      bootId: node.bootId,
      pvUuid: pv?.uuid ?? "",
      pvName: pv?.path ?? "",
      vgName: pv?.vgName ?? "",
      vgUuid: pv?.vgUuid ?? "",
    }),
  );
}

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
