/** A heal in the simulator that is hit at one row of its run, and what must be so however it goes on. */
import { RunEventKind, type RunEvent, type WatchResponse } from "@vigie/proto";
import { startResync } from "../simulator/drbd-model.js";
import { createSimCluster, type SimCluster } from "../simulator/cluster.js";
import { watchInvariants } from "../simulator/invariants.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";
import { diskOf } from "../scenarios/disk-of.js";

export const MASTER = "h1.sim.example";
const SETTLE_MS = 10_000;

export interface Hit {
  readonly cluster: SimCluster;
  readonly clock: VirtualClock;
  /** Lets time pass, and looks at every 100 ms. */
  readonly pass: (seconds: number) => Promise<void>;
  readonly rows: () => readonly RunEvent[]; // of the one run, as told since the beginning
  readonly follow: () => void;
  /** Strikes the moment that this row is on disk, and only then. */
  readonly atRow: (count: number, strike: () => void) => void;
  /** What the world saw that must never be, and cuts that were made: "r-…": how often. */
  readonly broken: Set<string>;
  readonly cutsMade: Map<string, number>;
  readonly runId: () => string;
}

/** A cluster whose web1 is about to stall. */
export async function stalledCluster(): Promise<Hit> {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock);
  await clock.advance(SETTLE_MS);
  const invariants = watchInvariants(cluster.world);
  const told: { runId: string; event: RunEvent }[] = [];
  const broken = new Set<string>();
  const cutsMade = countCuts(cluster);
  let next: { readonly count: number; readonly strike: () => void } | undefined;
  const hit: Hit = {
    cluster,
    clock,
    broken,
    cutsMade,
    rows: () => told.map(({ event }) => event),
    runId: () => told[0]?.runId ?? "",
    atRow: (count, strike) => void (next = { count, strike }),
    follow: () => void cluster.orchestrator().subscribe(hear),
    pass: async (seconds) => {
      for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
        await clock.advance(100);
        for (const line of invariants.look()) broken.add(line);
      }
    },
  };
  hit.follow();
  const disk = diskOf(cluster, "web1");
  startResync(disk, 40_000);
  await hit.pass(3);
  disk.blackhole = "this-connection";
  return hit;

  function hear({ event }: WatchResponse): void {
    if (event?.$case !== "run" || event.value.event === undefined) return;
    told.push({ runId: event.value.runId, event: event.value.event });
    if (told.length !== next?.count) return;
    next.strike();
    next = undefined;
  }
}

/** Lets time pass until it holds. @returns whether it did within `seconds` */
export async function passUntil(hit: Hit, holds: () => boolean, seconds: number): Promise<boolean> {
  for (let tenth = 0; tenth < seconds * 10 && !holds(); tenth += 1) await hit.pass(0.1);
  return holds();
}

export function ended(hit: Hit): boolean {
  return hit.rows().some(({ kind }) => kind === RunEventKind.ENDED);
}

/** Every cut that a kernel made, by its run. */
function countCuts(cluster: SimCluster): Map<string, number> {
  const made = new Map<string, number>();
  for (const { cuts } of cluster.world.nodes.values()) {
    const set = cuts.set.bind(cuts);
    cuts.set = (entry, cut) => {
      made.set(cut.runId, (made.get(cut.runId) ?? 0) + 1);
      return set(entry, cut);
    };
  }
  return made;
}

export function cutsThatStand({ cluster }: Hit): string[] {
  return [...cluster.world.nodes.values()].flatMap(({ name, cuts }) =>
    [...cuts.keys()].map((entry) => `${name}: ${entry}`),
  );
}
