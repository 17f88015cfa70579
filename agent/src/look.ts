/**
 * What a guard looks at, each time anew: the observer's own reading of /proc/drbd (its stillness with it), and the
 * kernel's configuration and cuts. A source that failed or a damaged minor is "unknown", with the reason (I11).
 */
import { Source, SourceState, type SourceReport } from "@vigie/proto";
import type { Look } from "./actions/action.js";
import type { Host } from "./host.js";
import type { Observer } from "./observe.js";

export function createLook(
  host: Host,
  nodeName: string,
  bootId: string,
  observer: Observer,
): Omit<Look, "requestAgeMs" | "asker" | "device" | "prepared"> {
  return {
    host,
    nodeName,
    bootId,
    read: observer.readNow,
    recent: async (source, maxAgeMs) => {
      const latest = observer.latest(source);
      if (latest !== undefined && host.monotonicMs() - latest.monotonicMs <= maxAgeMs) return latest;
      return observer.readNow(source);
    },
    lastGood: observer.lastGood,
    drbdMinor: async (number) => {
      const report = await observer.readNow(Source.PROC_DRBD);
      const minor =
        report.facts?.$case === "drbd"
          ? report.facts.value.minors.find((m) => m.minor === number)
          : undefined;
      const stillMs = observer.stillness().find((s) => s.minor === number)?.stillMs;
      const redundantMs = observer.redundancy().find((r) => r.minor === number)?.redundantMs ?? 0;
      return {
        minor,
        unknown: minor === undefined ? whyUnknown(report, number) : "",
        readAtMs: report.monotonicMs,
        stillMs,
        redundantMs,
      };
    },
    drbdConfig: async (number) => {
      const { state, facts, damaged } = await observer.readNow(Source.DRBD_CONFIG);
      const resources = facts?.$case === "drbdConfig" ? facts.value.resources : [];
      const [found, second] = resources.filter((resource) => resource.minor === number);
      if (second !== undefined) return undefined; // two of one minor is not an answer
      if (found !== undefined) return found;
      const isKnown = state !== SourceState.FAILED && damaged.every(({ minor }) => minor !== number);
      return isKnown ? undefined : "unknown";
    },
    cuts: async () => {
      const report = await observer.readNow(Source.LINK_CUTS);
      const cuts = report.facts?.$case === "linkCuts" ? report.facts.value.cuts : [];
      return { cuts, unknown: whyNotAll(report) };
    },
  };
}

/** Damaged: something is cut, and nobody knows what. */
function whyNotAll(report: SourceReport): string {
  if (report.state === SourceState.FAILED) return report.reason;
  const [damaged] = report.damaged;
  return damaged === undefined ? "" : `damaged: ${damaged.reason}`;
}

function whyUnknown(report: SourceReport, minor: number): string {
  const damaged = report.damaged.find((d) => d.minor === minor);
  if (damaged !== undefined) return `damaged: ${damaged.reason}`;
  if (report.state !== SourceState.OK) return `/proc/drbd: ${report.reason}`;
  return `minor ${minor} is not in /proc/drbd`;
}
