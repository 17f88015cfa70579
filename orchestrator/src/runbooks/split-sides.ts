/** Both sides of a split brain, as a person must see them before one is given up: roles, states, history, guest. */
import {
  connectionWord,
  diskWord,
  KernelLogKind,
  roleWord,
  Source,
  type DrbdGenerations,
  type KernelLogLine,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { factsOf } from "../view/node-view.js";

/** They are asked when a plan is made; what is older may be of another life of the minor. */
const GENERATIONS_FRESH_MS = 60_000;

export interface Side {
  readonly node: string;
  readonly minor: number;
  readonly view: EndView;
  readonly generations: DrbdGenerations | undefined;
  readonly lastLine: KernelLogLine | undefined;
}

/** @returns the sides of one disk, the instance's primary node first */
export function sidesOf(view: ClusterView, resource: Resource, nowMs: number): Side[] {
  return endViews(view, resource, nowMs).map((end) => {
    const { node, minor } = end.end;
    const answered = view.nodes.get(node)?.generations.get(minor);
    const fresh = answered !== undefined && nowMs - answered.readAtMs <= GENERATIONS_FRESH_MS;
    return {
      node,
      minor,
      view: end,
      generations: fresh ? answered.value : undefined,
      lastLine: lastLineOf(view, node, minor),
    };
  });
}

/** What the kernel last said of this minor's connection, role or disk. */
function lastLineOf(view: ClusterView, node: string, minor: number): KernelLogLine | undefined {
  const lines = factsOf(view.nodes.get(node), Source.KERNEL_LOG, "kernelLog")?.lines ?? [];
  return lines.findLast(
    ({ kind, device }) =>
      kind === KernelLogKind.DRBD_STATE && (device === `drbd${minor}` || device === `resource${minor}`),
  );
}

export function sideText(resource: Resource, side: Side): string {
  const { node, minor, view, generations, lastLine } = side;
  const { drbd } = view;
  const state =
    drbd === undefined
      ? `unknown: ${view.unknown || "not active"}`
      : [
          `${roleWord(drbd.role)}, ${connectionWord(drbd.connection)}`,
          `${diskWord(drbd.disk)}/${diskWord(drbd.peerDisk)}`,
          `${drbd.outOfSyncKib ?? "?"} KiB changed since they parted`,
        ].join(", ");
  const generation =
    generations === undefined
      ? "its generations are not known"
      : `generation ${generations.currentUuid}, when it parted ${generations.bitmapUuid}`;
  const said =
    lastLine === undefined
      ? ""
      : `; its kernel last said, ${sinceBoot(lastLine)} after boot: ${lastLine.text}`;
  return `disk/${resource.diskIndex} on ${node}, minor ${minor}: ${state}; ${generation}${said}`;
}

function sinceBoot({ sinceBootUs }: KernelLogLine): string {
  return `${Math.round(sinceBootUs / 1_000_000)} s`;
}

/** The same data, but for the bit that says whether the end was Primary. */
export function sameGeneration(sides: readonly Side[]): boolean {
  const current = sides.map(({ generations }) => generations?.currentUuid.toUpperCase());
  const [first, second] = current;
  if (first === undefined || second === undefined) return false;
  return withoutRoleBit(first) === withoutRoleBit(second);
}

function withoutRoleBit(uuid: string): string {
  const last = Number.parseInt(uuid.slice(-1), 16);
  return `${uuid.slice(0, -1)}${(last & ~1).toString(16).toUpperCase()}`;
}
