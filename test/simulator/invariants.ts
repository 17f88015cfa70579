/**
 * What must hold at every moment of every scenario. Checked on the world itself and on what was run in it, not on
 * what the agents say. Each line begins with the invariant's number.
 */
import { ConnectionState, DiskState } from "@vigie/proto";
import { endAt, peerOf, type DiskModel, type DrbdEndModel } from "./drbd-model.js";
import { isOpen } from "./ganeti-model.js";
import { hasVolume } from "./lvm-model.js";
import { mirrorsOn } from "./sysfs.js";
import { nodeOf, volumeNames, type Ran, type World } from "./world.js";

const CUT_MAX_MS = 65_000; // TTL at most 60 s, and 5 s more (I17)
const WHOLE_BEFORE_OTHER_MS = 10_000; // I10

export interface InvariantWatch {
  /** @returns what is broken now */
  readonly look: () => string[];
}

export function watchInvariants(world: World): InvariantWatch {
  const cutSinceMs = new Map<string, number>();
  const copies = createCopyWatch(world);
  let read = world.ran.length;
  return {
    look: () => {
      const ran = world.ran.slice(read);
      read = world.ran.length;
      return [
        ...cutsOfOneLink(world),
        ...cutsThatStay(world, cutSinceMs),
        ...cutsAtOnce(world),
        ...ran.flatMap(forced),
        ...copies.look(ran),
        ...offlineAtOnce(world),
        ...jobsTwice(world),
        ...guests(world),
      ];
    },
  };
}

/** I18: a cut is of one peer and one DRBD port, of a link between this very node and that peer. */
function cutsOfOneLink(world: World): string[] {
  return [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()]
      .filter((entry) => !world.disks.some((disk) => isLinkOf(world, disk, node.name, entry)))
      .map((entry) => `I18: ${node.name} cuts ${entry}, which is no DRBD link of its own`),
  );
}

export function isLinkOf(world: World, disk: DiskModel, node: string, entry: string): boolean {
  const own = endAt(disk, node);
  if (own === undefined) return false;
  return entry === `${nodeOf(world, peerOf(disk, own).node).address},tcp:${disk.port}`;
}

export function cutsThatStay(world: World, sinceMs: Map<string, number>): string[] {
  const standing = [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()].map((entry) => `${node.name} ${entry}`),
  );
  for (const key of sinceMs.keys()) if (!standing.includes(key)) sinceMs.delete(key);
  for (const key of standing) if (!sinceMs.has(key)) sinceMs.set(key, world.clock.monotonicMs());
  return [...sinceMs]
    .filter(([, since]) => world.clock.monotonicMs() - since > CUT_MAX_MS)
    .map(([key]) => `I17: ${key} was cut for more than ${CUT_MAX_MS / 1000} s`);
}

/** I9: at most one at a time for an instance: not two of its disks, nor one link from both ends. */
export function cutsAtOnce(world: World): string[] {
  const cut = [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()].flatMap((entry) =>
      world.disks.filter((disk) => isLinkOf(world, disk, node.name, entry)).map(({ instance }) => instance),
    ),
  );
  const twice = cut.filter((instance, at) => cut.indexOf(instance) !== at);
  return twice.map((instance) => `I9: two cuts of ${instance} at once`);
}

const FORCED = /^(?:--force|--discard-my-data|-9|--ignore-consistency|--early-release)$/;
const MAY_BE_SURE: ReadonlySet<string> = new Set(["migrate", "failover", "modify", "cancel"]); // -f answers a question

/** I5: no forced verb; I6: nobody makes a Primary. */
export function forced({ node, argv }: Ran): string[] {
  const [file = "", verb = ""] = argv;
  const sure = argv.includes("-f") && !(file.includes("/gnt-") && MAY_BE_SURE.has(verb));
  const isForced = sure || argv.some((word) => FORCED.test(word));
  const makesPrimary = file.endsWith("/drbdsetup") && (verb === "primary" || argv.includes("primary"));
  return [
    ...(isForced ? [`I5: ${node} ran ${argv.join(" ")}`] : []),
    ...(makesPrimary ? [`I6: ${node} ran ${argv.join(" ")}`] : []),
  ];
}

/** I1, I2, I10: what is left of each mirrored disk, and whose turn it is to be touched. */
function createCopyWatch(world: World): { readonly look: (ran: readonly Ran[]) => string[] } {
  let good = new Set(world.disks.filter((disk) => hasGoodCopy(world, disk)));
  const touched = new Map<DiskModel, string>(); // disk → the node whose copy was
  const wholeSinceMs = new Map<DiskModel, number>();
  return {
    look: (ran) => {
      const nowMs = world.clock.monotonicMs();
      for (const disk of world.disks) {
        if (!isRedundant(disk)) wholeSinceMs.delete(disk);
        else if (!wholeSinceMs.has(disk)) wholeSinceMs.set(disk, nowMs);
        if (nowMs - (wholeSinceMs.get(disk) ?? nowMs) >= WHOLE_BEFORE_OTHER_MS) touched.delete(disk);
      }
      const broken = ran.flatMap((each) => touches(world, each).flatMap((end) => touch(end, each)));
      const left = new Set(world.disks.filter((disk) => hasGoodCopy(world, disk)));
      const lost = [...good].filter((disk) => !left.has(disk));
      good = left;
      return [...broken, ...lost.map((disk) => `I1: no copy of ${disk.instance} is UpToDate any more`)];
    },
  };

  function touch({ disk, end }: Touched, { argv }: Ran): string[] {
    const before = touched.get(disk);
    touched.set(disk, end.node);
    const peer = peerOf(disk, end);
    const what = `${disk.instance} on ${end.node}, by ${argv.join(" ")}`;
    return [
      ...(before === undefined || before === end.node
        ? []
        : [`I10: ${before}'s copy was touched, and now ${what}`]),
      ...(isGood(world, disk, peer) ? [] : [`I2: ${peer.node} has no whole copy of ${what}`]),
    ];
  }
}

export interface Touched {
  readonly disk: DiskModel;
  readonly end: DrbdEndModel;
}

/** Which copies a command gives up. */
export function touches(world: World, { node: name, argv }: Ran): Touched[] {
  const node = nodeOf(world, name);
  const [file = "", verb = "", argument = "", path = ""] = argv;
  const at = (disk: DiskModel): Touched[] => {
    const end = endAt(disk, name);
    return end === undefined ? [] : [{ disk, end }];
  };
  if (file === "echo" && verb === "offline") {
    const disk = node.disks.find((each) => path.includes(`/${each.name}/`));
    return disk === undefined ? [] : mirrorsOn(world, node, disk).flatMap(at);
  }
  if (!file.endsWith("/drbdsetup") || !["detach", "invalidate"].includes(verb)) return [];
  return world.disks.flatMap(at).filter(({ end }) => String(end.minor) === argument);
}

function hasGoodCopy(world: World, disk: DiskModel): boolean {
  return disk.ends.some((end) => isGood(world, disk, end));
}

/** Its data are whole, and can be reached: by a minor, or once one is made. */
export function isGood(world: World, disk: DiskModel, end: DrbdEndModel): boolean {
  const node = nodeOf(world, end.node);
  const { data } = volumeNames(disk);
  return node.up && end.disk === DiskState.UP_TO_DATE && hasVolume(node, "kvmvg", data);
}

function isRedundant(disk: DiskModel): boolean {
  return disk.ends.every(
    (end) => end.connection === ConnectionState.CONNECTED && end.disk === DiskState.UP_TO_DATE,
  );
}

/** I9: one disk at a time in the whole cluster. */
function offlineAtOnce(world: World): string[] {
  const found = [...world.nodes.values()].flatMap((node) =>
    node.disks.filter(({ state }) => state === "offline").map((disk) => `${node.name} ${disk.name}`),
  );
  return found.length < 2 ? [] : [`I9: two disks are offline: ${found.join(", ")}`];
}

/** I30: of one step of one run there is one job, unless the one before it failed; hbal may move a guest in two. */
export function jobsTwice({ ganeti }: World): string[] {
  const ours = ganeti.jobs.filter(({ reasons }) =>
    reasons.some((reason) => /^vigie:.*(?<!:rebalance)$/.test(reason)),
  );
  const groups = Map.groupBy(ours, ({ reasons, opcode, subject }) => [...reasons, opcode, subject].join(" "));
  return [...groups]
    .filter(([, jobs]) => jobs.filter((job) => isOpen(job) || job.status === "success").length > 1)
    .map(([what, jobs]) => `I30: ${what} was submitted ${jobs.length} times`);
}

/** Never on two nodes, and only where it has a disk. */
function guests(world: World): string[] {
  return world.disks.flatMap((disk) => {
    const on = [...world.nodes.values()]
      .filter((node) => node.guests.has(disk.instance))
      .map(({ name }) => name);
    if (on.length > 1) return [`guests: ${disk.instance} runs on ${on.join(" and ")}`];
    const strange = on.filter((node) => endAt(disk, node) === undefined);
    return strange.map((node) => `guests: ${disk.instance} runs on ${node}, where it has no disk`);
  });
}
