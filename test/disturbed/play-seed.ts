/** One seed: a random cluster, a trouble on it, a run against it, a storm meanwhile, and a calm in which it must end. */
import { explain } from "@vigie/proto";
import { createSimCluster, type SimCluster } from "../simulator/cluster.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { calm } from "./calm.js";
import { drawCluster } from "./draw-cluster.js";
import { createExposure, type Counted, type Exposure } from "./exposure.js";
import { createFaults, type Faults } from "./faults.js";
import { allWatches } from "./judge/index.js";
import { createJudge, type Judge } from "./judge/judge.js";
import { knownOf } from "./known.js";
import { HEALTHY, type Mutant } from "./mutants/mutant.js";
import { createPerson } from "./person.js";
import { createRandom, type Random } from "./random.js";
import { createRuns } from "./runs.js";
import { short, type Scene } from "./scene.js";
import { storm } from "./storm.js";
import { TROUBLES } from "./troubles.js";

const SETTLE_MS = 6_000; // sessions, leadership, and a first reading of everything
const LOOK_EVERY_MS = 200;
const IDLE_LEAP_MS = 4_000; // less than a node may be silent
const AT_MOST_MS = 12 * 3_600_000; // the longest calm is an hour, and what a storm begins has its own end
const CONFIG = { policy: { stalled_sync: "observe" }, runs: { ask_when_unchanged_min: 5 } }; // only the person acts

export interface SeedResult {
  readonly seed: number;
  readonly broken: readonly string[];
  /** What was seen of known.ts. */
  readonly known: readonly string[];
  readonly counts: ReadonlyMap<Counted, number>;
  readonly log: readonly string[];
  readonly virtualMs: number;
}

/** @param mutant a bug that is planted: what the judge finds then is its own proof */
export async function playSeed(seed: number, mutant: Mutant = HEALTHY): Promise<SeedResult> {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const startedMs = clock.monotonicMs();
  const log: string[] = [];
  const tell = (line: string): void => {
    const seconds = ((clock.monotonicMs() - startedMs) / 1000).toFixed(1).padStart(7);
    log.push(`${seconds}  ${line.replaceAll(".sim.example", "")}`);
  };
  const faults = createFaults(clock, random.fork("faults"));
  const exposure = createExposure();
  const { store, disk } = faults;
  const cluster = await createSimCluster(clock, {
    config: CONFIG,
    inMemory: true,
    instances: drawCluster(random.fork("cluster")),
    seams: {
      host: (host, node) => mutant.reads(faults.host(mutant.host(host, node), node)),
      journal: mutant.journal,
      store,
      disk,
      clock: (wall, node) => mutant.clock(faults.clock(wall, node)),
    },
  });
  try {
    const runs = createRuns((runId, row) => {
      tell(`${runId} ${row.stepId} ${row.kind.replace("RUN_EVENT_KIND_", "").toLowerCase()}: ${row.text}`);
      judge.row(runId, row);
    });
    runs.follow(cluster.orchestrator());
    const judge = createJudge(allWatches(cluster, runs, exposure, faults), tell);
    const { world } = cluster;
    const scene: Scene = {
      random: random.fork("storm"),
      clock,
      cluster,
      world,
      faults,
      judge,
      exposure,
      runs,
      tell,
      healers: new Set(),
      mutant,
    };
    Object.assign(cluster.hooks, mutant.wire);
    cluster.hooks.started = (orchestrator, node) => {
      tell(`an orchestrator starts on ${short(node)}`);
      runs.follow(orchestrator);
    };
    listen(cluster, judge, exposure, tell);
    carryLate(cluster, faults, random.fork("wire"));
    world.takesMs = ({ name }, [file = ""]) => faults.takesMs(name, file);
    const script = { over: false };
    void play(scene)
      .catch((error: unknown) => judge.found(`the test itself: ${explain(error)}`))
      .finally(() => (script.over = true));
    while (!script.over) {
      if (clock.monotonicMs() - startedMs > AT_MOST_MS) {
        judge.found("the test itself: it did not come to its end");
        break;
      }
      await (faults.idle.is ? clock.leap(IDLE_LEAP_MS) : clock.advance(LOOK_EVERY_MS));
      judge.look();
    }
    return {
      seed,
      broken: [...judge.broken].filter((line) => knownOf(line) === undefined),
      known: [...judge.broken].filter((line) => knownOf(line) !== undefined),
      counts: exposure.counts,
      log,
      virtualMs: clock.monotonicMs() - startedMs,
    };
  } finally {
    cluster.end();
  }
}

async function play(scene: Scene): Promise<void> {
  const { random, clock, tell, world } = scene;
  const person = createPerson(scene);
  for (const { name, primary, disks, plain, adminState } of world.ganeti.instances)
    tell(
      `${short(name)} ${adminState} on ${short(primary)}: ${[...disks.map(({ ends }) => ends.map(({ node, minor }) => `${short(node)}/${minor}`).join("-")), ...plain.map(() => "plain")].join(" ")}`,
    );
  await clock.sleep(SETTLE_MS);
  const { troubles } = scene.mutant.focus;
  const trouble = random.weighted(
    TROUBLES.filter(({ runbook }) => troubles.length === 0 || troubles.includes(runbook)),
  );
  tell(`the trouble: for ${trouble.runbook}`);
  const parameters = await trouble.begin(scene);
  if (parameters === undefined) return;
  const run = await person.plan(trouble.runbook, parameters);
  if (run?.plan === undefined || run.plan.refusals.length > 0) return;
  const working = random.chance(0.9) && (await person.approve(run)) ? await storm(scene, person, run) : [];
  await calm(scene, person, working);
}

function listen(
  { world, hooks }: SimCluster,
  judge: Judge,
  exposure: Exposure,
  tell: (line: string) => void,
): void {
  hooks.sent = (request, from) => {
    exposure.count("requests sent");
    tell(
      `${short(from)} sends ${request.stepId} ${request.attempt}${request.recall ? ", a recall" : ""} to ${short(request.node)}`,
    );
    judge.sent(request, from);
  };
  const answered = hooks.answered;
  hooks.answered = (message, from, to) => {
    if (message.body?.$case === "actionResult" && message.body.value.code === "STALE_EPOCH")
      exposure.count("stale epochs refused");
    return answered(message, from, to);
  };
  hooks.journaled = (node, row) => void judge.journaled(node, row);
  world.drops = (disk, end, reasons) => void judge.dropped(disk, end, reasons);
  world.places = (instance, node, reasons) => void judge.placed(instance, node, reasons);
  world.flags = (node, offline, reasons) => {
    tell(`${short(node.name)} is ${offline ? "offline" : "online"} for Ganeti from now on`);
    judge.flagged(node, offline, reasons);
  };
  world.queues = (job) => {
    tell(`job ${job.id}: ${job.opcode} ${job.subject} ${job.reasons.join(" ")}`);
    judge.queued(job);
  };
  world.runs = (ran) => {
    exposure.count("commands run");
    tell(`${short(ran.node)} runs ${ran.argv.join(" ")}`);
    judge.runs(ran);
  };
}

function carryLate({ hooks }: SimCluster, { network, idle }: Faults, random: Random): void {
  hooks.travels = () => {
    if (idle.is) return 0;
    if (network.lateMs > 0) return random.int(0, network.lateMs);
    return random.chance(0.3) ? random.int(1, 40) : 0;
  };
}
