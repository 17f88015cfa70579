/** Why an end lost its peer or its disk, as its kernel said, in the words of its effect. */
import { DrbdReasonKind, Source, SourceState, type DrbdReason } from "@vigie/proto";
import type { ClusterView } from "./cluster-view.js";
import type { ResourceEnd } from "./join.js";
import { factsOf } from "./node-view.js";

/** What its kernel said of this minor that is not over; of now or of an hour ago, for it was said once. */
export function reasonsAt(view: ClusterView, { node, minor }: ResourceEnd): DrbdReason[] {
  const log = factsOf(view.nodes.get(node), Source.KERNEL_LOG, "kernelLog");
  return (log?.drbdReasons ?? []).filter((reason) => reason.minor === minor);
}

/** Otherwise that a reason is not there says nothing (I11). */
export function isLogRead(view: ClusterView, ends: readonly ResourceEnd[]): boolean {
  return ends.every(
    ({ node }) => view.nodes.get(node)?.sources.get(Source.KERNEL_LOG)?.report.state !== SourceState.FAILED,
  );
}

export function hasReason(view: ClusterView, end: ResourceEnd, kind: DrbdReasonKind): boolean {
  return reasonsAt(view, end).some((reason) => reason.kind === kind);
}

/** Empty for what has a rule of its own, or says no more than the state does. */
const MEANS: Readonly<Record<DrbdReasonKind, string>> = {
  [DrbdReasonKind.UNSPECIFIED]: "",
  [DrbdReasonKind.UNRECOGNIZED]: "",
  [DrbdReasonKind.SPLIT_BRAIN]: "",
  [DrbdReasonKind.SPLIT_BRAIN_LOST]: "",
  [DrbdReasonKind.SPLIT_BRAIN_WON]: "",
  [DrbdReasonKind.UNRELATED_DATA]:
    "the two ends never had the same data: to connect them does not help, only a new copy does",
  [DrbdReasonKind.PEER_DISK_TOO_SMALL]: "the peer's disk is smaller",
  [DrbdReasonKind.AUTHENTICATION_FAILED]: "the two ends have different shared secrets",
  [DrbdReasonKind.SETTINGS_DIFFER]: "the settings of the two ends differ",
  [DrbdReasonKind.DIGEST_FAILED]: "a digest did not match: data were damaged on their way or in memory",
  [DrbdReasonKind.KO_COUNT]: "the peer did not take the writes in time (ko-count)",
  [DrbdReasonKind.PING_ACK]: "the peer did not answer in time",
  [DrbdReasonKind.LOCAL_IO_FAILED]: "its own disk failed",
  [DrbdReasonKind.NO_DATA]: "the guest gets I/O errors, for no copy answers",
};

/** "; by h1's kernel: the peer's disk is smaller"; empty: none of its ends says more. */
export function reasonText(view: ClusterView, ends: readonly ResourceEnd[]): string {
  for (const end of ends)
    for (const { kind } of reasonsAt(view, end))
      if (MEANS[kind] !== "") return `; by ${end.node}'s kernel: ${MEANS[kind]}`;
  return "";
}
