/** Reset the TCP connection of one disk's resync that does not move. How, and on which node: reset-steps.ts. */
import type { GanetiInstance } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, isInSync } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { runningMigration } from "./jobs-in-queue.js";
import { given, instanceNamed, mirrorsOf, wrong } from "./parameters.js";
import { makePlan } from "./plan.js";
import { resetSteps } from "./reset-steps.js";
import type { Runbook } from "./runbook.js";

export const resetStalledSync: Runbook = {
  name: "reset-stalled-sync",
  version: 1,
  summary: "reset the TCP connection of a resync that does not move",
  explanation: [
    "Cuts the one DRBD connection of a disk until both ends wait for a connection, lets it back, and sees the resync",
    "move. The kernel ends the cut by itself after at most a minute, whatever becomes of Vigie.",
    "",
    "Refuses: an end that is unknown, silent or StandAlone, a resync that moves or is paused, two Primaries without",
    "their migration.",
    "",
    "By hand, on the Primary's node:",
    "  grep -A3 '^ *18: cs:' /proc/drbd",
    "  iptables -I INPUT -p tcp --dport 12589 -j REJECT --reject-with tcp-reset   (and --sport, and OUTPUT)",
    "  until /proc/drbd says WFConnection on both nodes; then the same with -D",
  ],
  parameters: [
    { name: "instance", summary: "Ganeti's name of the instance", required: true },
    { name: "disk", summary: "N of disk/N; needed where more than one resyncs", required: false },
  ],
  forIncident: ({ subject }) => {
    if (subject === undefined || subject.instance === "") return undefined;
    return { instance: subject.instance, disk: String(subject.diskIndex ?? 0) };
  },
  plan: (request) => {
    const { view, nowMs } = request;
    const { instance: name = "", disk } = given(resetStalledSync, request);
    const instance = instanceNamed(view, name);
    const resource = diskOf(view, instance, disk, nowMs);
    const { steps, refusals } = resetSteps(request, resource, runningMigration(view, instance.name)?.id ?? 0);
    return makePlan(resetStalledSync, request, {
      subject: `${instance.name} disk/${resource.diskIndex}`,
      parameters: { instance: instance.name, disk: String(resource.diskIndex) },
      steps,
      touches: { resources: [resource], nodes: resource.ends.map(({ node }) => node) },
      refusals,
      destructive: false, // a cut loses no data: what is written meanwhile is marked, and sent when the link is back
      mayJoinWaiting: true,
    });
  },
};

/** The disk that was named, or else the only one, or the only one that resyncs. */
function diskOf(
  view: ClusterView,
  instance: GanetiInstance,
  named: string | undefined,
  nowMs: number,
): Resource {
  const mirrors = mirrorsOf(view, instance);
  if (mirrors.length === 0)
    throw wrong(`${instance.name} has no mirrored disk: ${instance.diskTemplate || "unknown"}`);
  const candidates =
    named === undefined || named === ""
      ? mirrors
      : mirrors.filter(({ diskIndex }) => String(diskIndex) === named.replace(/^disk\//, ""));
  const resyncing = candidates.filter((resource) =>
    endViews(view, resource, nowMs).some(({ drbd }) => drbd !== undefined && isInSync(drbd)),
  );
  const [only] = candidates.length === 1 ? candidates : resyncing;
  if (only !== undefined && (candidates.length === 1 || resyncing.length === 1)) return only;
  const disks = mirrors.map(({ diskIndex }) => diskIndex).join(", ");
  throw wrong(`${instance.name} has disks ${disks}: say which, as in disk=${mirrors[0]?.diskIndex ?? 0}`);
}
