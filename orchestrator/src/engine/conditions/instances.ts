/** Conditions of a whole instance: that its disks are redundant again, and that it runs where it should. */
import {
  connectionWord,
  ConnectionState,
  DiskState,
  Source,
  type DrbdMinor,
  type InstanceOn,
  type Redundant,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import type { Resource } from "../../view/join.js";
import { runsOn } from "../../view/guest-runs.js";
import { factsOf, unlisted, isRedundant, type MinorView } from "../../view/node-view.js";
import { askGaneti, freshGaneti } from "./ganeti.js";
import {
  never,
  NOT_YET,
  notYet,
  seen,
  stuck,
  type ConditionDefinition,
  type Watch,
  type WatchContext,
} from "./condition.js";

const STAND_ALONE_FOR_MS = 10_000; // Ganeti itself disconnects for a moment while it replaces a disk
const RATE_OVER_MS = 5_000; // a rate measured over less is noise

export const redundant: ConditionDefinition<Redundant> = {
  asks: ({ instance }, view) => {
    const nodes = new Set(resourcesOf(view, instance).flatMap((r) => r.ends.map((end) => end.node)));
    return [...nodes].map((node) => ({ node, source: Source.PROC_DRBD }));
  },
  watch: ({ instance, forMs }, context) => watchRedundant(instance, forMs, context),
};

function watchRedundant(instance: string, forMs: number, { sinceMs, clock }: WatchContext): Watch {
  let first: { readonly atMs: number; readonly leftKib: number } | undefined;
  let standAloneSinceMs: number | undefined;
  return (view) => {
    const resources = resourcesOf(view, instance);
    if (resources.length === 0 && view.inventory === undefined) return NOT_YET; // it has just started
    if (resources.length === 0) return never(`${instance} has no mirrored disk`);
    const disks = resources.map((r) => r.ends.map((end) => endOf(view, end.node, end.minor, sinceMs)));
    const ends = disks.flat();
    const known = ends.filter((end) => end !== undefined);
    const nowMs = clock.monotonicMs();
    const alone = known.find(({ drbd }) => drbd?.connection === ConnectionState.STAND_ALONE);
    standAloneSinceMs = alone === undefined ? undefined : (standAloneSinceMs ?? nowMs);
    if (standAloneSinceMs !== undefined && nowMs - standAloneSinceMs >= STAND_ALONE_FOR_MS)
      return never(`an end of ${instance} is StandAlone: a person decides (I8)`);
    const [gone] = goneEnds(view, resources, sinceMs);
    if (gone !== undefined) return stuck(`${gone}${wanted(view, instance)}`);
    if (known.length < ends.length) return NOT_YET;
    const blocked = known.map(({ drbd }) => (drbd === undefined ? "" : blockedText(drbd))).find(Boolean);
    if (blocked !== undefined) return stuck(`${instance}: ${blocked}`);
    const since = known.map(({ drbd, redundantSinceMs }) =>
      drbd !== undefined && isRedundant(drbd) ? redundantSinceMs : undefined,
    );
    if (since.every((atMs) => atMs !== undefined && nowMs - atMs >= forMs))
      return seen(`every disk of ${instance} is Connected, UpToDate/UpToDate and in sync on both ends`);
    const { leftKib, totalKib } = amountOf(disks);
    if (totalKib === 0) return notYet(statesText(known));
    if (first === undefined || leftKib > first.leftKib) first = { atMs: nowMs, leftKib };
    return inProgress(first, leftKib, totalKib, nowMs, clock.wallUnixMs());
  };
}

/** Minors that their nodes were asked for, and do not have. */
function goneEnds(view: ClusterView, resources: readonly Resource[], sinceMs: number): string[] {
  return resources
    .flatMap(({ ends }) => ends)
    .filter(({ node, minor }) => {
      const source = view.nodes.get(node)?.sources.get(Source.PROC_DRBD);
      const read = source !== undefined && source.readAtMs >= sinceMs;
      return (
        read &&
        unlisted(source.report, minor) === "" &&
        factsOf(view.nodes.get(node), Source.PROC_DRBD, "drbd") !== undefined &&
        isGone(view, node, minor)
      );
    })
    .map(({ node, minor }) => `minor ${minor} of ${node} is not active`);
}

function isGone(view: ClusterView, node: string, minor: number): boolean {
  const found = view.nodes.get(node)?.minors.get(minor);
  return found === undefined || found.drbd?.connection === ConnectionState.UNCONFIGURED;
}

function wanted(view: ClusterView, instance: string): string {
  const state = view.instances.get(instance)?.adminState ?? "up";
  return state === "up" ? "" : `, and Ganeti wants ${instance} ${state}`;
}

/** What keeps an end from ever being whole, until a person does something; empty: nothing. */
function blockedText(drbd: DrbdMinor): string {
  if (drbd.resyncPausedByUser) return `a person has paused its resync (drbdsetup resume-sync ${drbd.minor})`;
  if (drbd.disk === DiskState.DISKLESS)
    return `minor ${drbd.minor} is Diskless: there is no copy to complete`;
  return "";
}

/** "its disks: WFConnection, StandAlone"; an end that is whole, and not for long enough yet, is Connected. */
function statesText(known: readonly MinorView[]): string {
  const words = known.map(({ drbd }) => connectionWord(drbd?.connection ?? ConnectionState.UNSPECIFIED));
  return `its disks: ${[...new Set(words)].join(", ")}`;
}

/** Of all disks together; what an end says is left is what the other says, or a moment older. */
function amountOf(disks: readonly (readonly (MinorView | undefined)[])[]) {
  const sum = (kibOf: (minor: MinorView | undefined) => number): number =>
    disks.reduce((total, ends) => total + Math.max(0, ...ends.map(kibOf)), 0);
  return {
    leftKib: sum((end) => end?.drbd?.outOfSyncKib ?? end?.drbd?.resync?.leftKib ?? 0),
    totalKib: sum((end) => end?.drbd?.resync?.totalKib ?? 0),
  };
}

function inProgress(
  first: { readonly atMs: number; readonly leftKib: number },
  leftKib: number,
  totalKib: number,
  nowMs: number,
  wallUnixMs: number,
) {
  const donePercent = Math.max(0, Math.min(100, 100 * (1 - leftKib / totalKib)));
  const takenMs = nowMs - first.atMs;
  const rate = takenMs < RATE_OVER_MS ? 0 : ((first.leftKib - leftKib) * 1000) / takenMs; // KiB/s
  const finishUnixMs = rate > 0 ? Math.round(wallUnixMs + (leftKib / rate) * 1000) : 0;
  const speed = rate > 0 ? `, ${(rate / 1024).toFixed(1)} MiB/s` : "";
  return notYet(`resync ${donePercent.toFixed(1)} %, ${(leftKib / 1024).toFixed(0)} MiB left${speed}`, {
    donePercent,
    finishUnixMs,
    kibPerS: Math.max(0, Math.round(rate)),
  });
}

export const instanceOn: ConditionDefinition<InstanceOn> = {
  asks: ({ instance, running }, view) => [
    ...askGaneti(view),
    ...(running ? guestNodes(view, instance).map((node) => ({ node, source: Source.GUESTS })) : []),
  ],
  watch:
    ({ instance, node, running }, { sinceMs }) =>
    (view) => {
      const known = freshGaneti(view, sinceMs)?.instances.find((i) => i.name === instance);
      if (known === undefined) return NOT_YET;
      if (known.primaryNode !== node) return notYet(`its primary node is ${known.primaryNode}`);
      if (!running) return seen(`${instance} has its primary node in ${node}`);
      const silent = silentNodes(view, instance);
      if (silent.length > 0) return notYet(`${silent.join(", ")} does not say whether it runs there`);
      const on: string[] = [];
      for (const name of guestNodes(view, instance)) {
        const runs = runsOn(view.nodes.get(name), instance, sinceMs);
        if (runs === "unknown") return notYet(`${name} does not say whether it runs there`);
        if (runs === "yes") on.push(name);
      }
      if (on.length > 1) return never(`${instance} runs on ${on.join(" and ")}: stop one of them`);
      if (on[0] !== node) return notYet(on.length === 0 ? "it runs nowhere" : `it runs on ${on[0]}`);
      return seen(`${instance} runs on ${node}, and nowhere else`);
    },
};

/** Every node that could run it and that reports: its own and those of its disks. */
function guestNodes(view: ClusterView, instance: string): string[] {
  const known = view.instances.get(instance);
  const nodes = new Set([known?.primaryNode ?? "", ...(known?.secondaryNodes ?? [])]);
  return [...nodes].filter((name) => view.nodes.get(name)?.connected === true);
}

/** Of its nodes, those that cannot be asked although Ganeti does not know them as offline: no word is not a no (I11). */
function silentNodes(view: ClusterView, instance: string): string[] {
  const known = view.instances.get(instance);
  const nodes = new Set([known?.primaryNode ?? "", ...(known?.secondaryNodes ?? [])]);
  const offline = new Set((view.inventory?.nodes ?? []).filter((n) => n.offline).map(({ name }) => name));
  return [...nodes].filter(
    (name) => name !== "" && !offline.has(name) && view.nodes.get(name)?.connected !== true,
  );
}

function resourcesOf(view: ClusterView, instance: string): Resource[] {
  return [...view.resources.values()].filter((resource) => resource.instance === instance);
}

function endOf(view: ClusterView, node: string, minor: number, sinceMs: number): MinorView | undefined {
  const found = view.nodes.get(node)?.minors.get(minor);
  return found !== undefined && found.readAtMs >= sinceMs ? found : undefined;
}
