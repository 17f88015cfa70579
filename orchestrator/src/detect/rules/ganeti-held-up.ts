/**
 * Ganeti itself does not get on: its queue takes no jobs, its watcher stays paused, a job waits for hours. Each is
 * often somebody's work that was not taken back; then nothing starts a guest again, and no runbook gets its turn.
 */
import { Evidence, IncidentKind, Severity, Source, Subject } from "@vigie/proto";
import { freshFacts } from "../../view/fresh-facts.js";
import type { Finding, NodeRule } from "../rule.js";

const QUEUE_MS = 900_000;
const WATCHER_MS = 18_000_000; // a runbook pauses it for four hours at most
const JOB_MS = 7_200_000;

export const ganetiHeldUp: NodeRule = {
  about: "node",
  kind: IncidentKind.GANETI_HELD_UP,
  holdDownMs: 0, // each has its own
  clearMs: 10_000,
  judge: (node, { ownNode }, nowMs) => {
    if (node.name !== ownNode) return []; // the master's agent tells of Ganeti
    const { facts } = freshFacts(node, Source.GANETI, "ganeti", nowMs);
    if (facts === undefined) return "unknown";
    const { queueDrained, watcherPausedUntilUnixS, jobs } = facts;
    const waiting = jobs.filter(({ status }) => status === "queued" || status === "waiting");
    return [
      ...(queueDrained
        ? [found("queue", "its queue is drained: no job is taken; gnt-cluster queue undrain", QUEUE_MS)]
        : []),
      ...(watcherPausedUntilUnixS > 0
        ? [
            found(
              "watcher",
              "its watcher is paused: no guest is started again; gnt-cluster watcher continue",
              WATCHER_MS,
            ),
          ]
        : []),
      ...waiting.map(({ id, status, summary }) =>
        found(`job ${id}`, `job ${id} is ${status} for hours: ${summary}; gnt-job list`, JOB_MS),
      ),
    ];

    function found(key: string, what: string, holdDownMs: number): Finding {
      return {
        key,
        subject: Subject.create({ node: node.name }),
        summary: `Ganeti: ${what}`,
        severity: Severity.WARNING,
        evidence: [Evidence.create({ node: node.name, text: what })],
        holdDownMs,
      };
    }
  },
};
