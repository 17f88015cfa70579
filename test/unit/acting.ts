/** What the tests of the acting path share: a simulated cluster that has settled, and a person beside it. */
import { createService } from "@vigie/orchestrator";
import { ControlRunRequest, PlanRunRequest, type Run, type RunVerb } from "@vigie/proto";
import { DISK_KIB, threeNodes, type ClusterSpec } from "../simulator/cluster-spec.js";
import { createSimCluster, type SimCluster, type SimOptions } from "../simulator/cluster.js";
import { startResync, type DiskModel } from "../simulator/drbd-model.js";
import { gntCommand } from "../simulator/gnt-commands.js";
import { H1, H2 } from "../simulator/stages.js";
import { createStory, type Story } from "../simulator/story.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";
import { nodeOf, type World } from "../simulator/world.js";

export const OBSERVE = { policy: { stalled_sync: "observe" } } as const;

export interface Acting {
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
  readonly world: World;
  readonly story: Story;
  readonly plan: (runbook: string, given: Readonly<Record<string, string>>) => Promise<Run>;
  /** With the plan's hash and its word. @throws VigieError as a person would see it */
  readonly approve: (run: Run) => Promise<Run>;
  readonly say: (runId: string, verb: RunVerb) => Promise<Run>;
  readonly abort: (runId: string) => Promise<Run>;
  /** At the master's shell; the job goes on by itself. */
  readonly types: (command: "gnt-instance" | "gnt-node", ...args: readonly string[]) => void;
  readonly stall: (...disks: readonly DiskModel[]) => Promise<void>;
}

/** So many guests on h1, each with its one disk mirrored on h2; "web1" and on. */
export function onePair(instances: number): ClusterSpec {
  const named = Array.from({ length: instances }, (_, n) => ({
    name: `web${n + 1}.sim.example`,
    template: "drbd" as const,
    primary: H1,
    secondary: H2,
    sizesKib: [DISK_KIB],
    up: true,
  }));
  return { ...threeNodes(3), instances: named };
}

/** The caller ends `cluster`. */
export async function settled(options: SimOptions = {}): Promise<Acting> {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, options);
  await clock.advance(40_000);
  const story = createStory(clock, cluster);
  const { world } = cluster;
  const service = () => createService(cluster.orchestrator());
  return {
    clock,
    cluster,
    world,
    story,
    plan: async (runbook, given) => {
      const parameters = Object.entries(given).map(([name, value]) => ({ name, value }));
      return (await soon(service().planRun(PlanRunRequest.create({ runbook, parameters }), "anna"), 9_000))
        .run;
    },
    approve: async ({ id, plan }) => {
      const asked = { runId: id, planHash: plan?.hash ?? "", typedWord: plan?.typedWord ?? "" };
      return (await soon(service().approveRun(asked, "anna"), 1_000)).run;
    },
    say: async (runId, verb) =>
      (await soon(service().controlRun(ControlRunRequest.create({ runId, verb }), "anna"), 2_000)).run,
    abort: async (runId) => (await soon(service().abortRun({ runId, reason: "enough" }, "anna"), 2_000)).run,
    types: (command, ...args) => void gntCommand(world, nodeOf(world, H1), command, [...args]),
    stall: async (...disks) => {
      for (const disk of disks) startResync(disk, 40_000);
      await clock.advance(5_000);
      for (const disk of disks) disk.blackhole = "this-connection";
    },
  };

  async function soon<T>(answer: Promise<T>, forMs: number): Promise<T> {
    answer.catch(() => undefined); // it is awaited below
    await clock.advance(forMs);
    return answer;
  }
}
