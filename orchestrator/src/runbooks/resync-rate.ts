/** How long copying takes, by the rate of what is being copied now. */
import type { ClusterView } from "../view/cluster-view.js";

/** The wiki's: "At 15 MByte/s 1 TB to reconstruct will take about 18h30". */
const WIKI_KIB_PER_S = 15_000_000 / 1024;

/** "5 h 20 min at the 54 MiB/s that are measured now". */
export function copyTimeText(view: ClusterView, nodes: ReadonlySet<string>, kib: number): string {
  const measured = measuredKibPerS(view, nodes);
  const rate = measured ?? WIKI_KIB_PER_S;
  const speed = `${(rate / 1024).toFixed(0)} MiB/s`;
  const from = measured === undefined ? `if it goes at ${speed}` : `at the ${speed} that are measured now`;
  return `${durationText(kib / rate)} ${from}`;
}

/** The fastest resync on these nodes, by its average: the others wait for the same disks and links. */
function measuredKibPerS(view: ClusterView, nodes: ReadonlySet<string>): number | undefined {
  let best = 0;
  for (const name of nodes)
    for (const { drbd } of view.nodes.get(name)?.minors.values() ?? [])
      best = Math.max(best, drbd?.resync?.averageSpeedKibPerS ?? 0);
  return best > 0 ? best : undefined;
}

export function durationText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}
