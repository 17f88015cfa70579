/** Which minors of a node changed their state with a report. Counters are not states: they change all the time. */
import { connectionWord, diskWord, roleWord } from "@vigie/proto";
import type { MinorView, NodeView } from "./node-view.js";

/** A minor's state changed. Kept for evidence; counters are not. */
export interface Transition {
  readonly unixMs: number;
  readonly node: string;
  readonly minor: number;
  readonly before: string; // "SyncSource Primary/Secondary UpToDate/Inconsistent"; empty: first seen
  readonly after: string; // empty: gone
}

export function transitionsOf(before: NodeView, after: NodeView, unixMs: number): Transition[] {
  const changed: Transition[] = [];
  for (const [minor, view] of after.minors) {
    const was = stateText(before.minors.get(minor));
    const is = stateText(view);
    if (was !== is) changed.push({ unixMs, node: after.name, minor, before: was, after: is });
  }
  for (const [minor, view] of before.minors) {
    if (!after.minors.has(minor))
      changed.push({ unixMs, node: after.name, minor, before: stateText(view), after: "" });
  }
  return changed;
}

function stateText(view: MinorView | undefined): string {
  if (view === undefined) return "";
  const { drbd } = view;
  if (drbd === undefined) return `unknown: ${view.unknown}`;
  return `${connectionWord(drbd.connection)} ${roleWord(drbd.role)}/${roleWord(drbd.peerRole)} ${diskWord(drbd.disk)}/${diskWord(drbd.peerDisk)}`;
}
