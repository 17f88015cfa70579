/** What to type next, the most urgent first. An answer, not a manual: at most six lines. */
import { IncidentState, RunState, Severity } from "@vigie/proto";
import { aligned, type Hint } from "./command-line.js";
import { isSilent } from "./nodes.js";
import { askedOf, goesOn } from "./progress.js";
import type { StatusView } from "./status-view.js";

const AT_MOST = 6;

export function nextSteps(view: StatusView): string[] {
  const { status, incidents, runs, health, nodes } = view;
  const waiting = incidents.filter((it) => it.state === IncidentState.NEEDS_PERSON);
  const critical = incidents.filter((it) => it.severity === Severity.CRITICAL && !waiting.includes(it));
  const others = incidents.filter((it) => !waiting.includes(it) && !critical.includes(it));
  const steps = [
    ...(status.auditIntact ? [] : [step("what was changed in the audit log", "vigie audit")]),
    ...(status.killSwitch === "" ? [] : [step("let it act again", "vigie go --reason WHY")]),
    ...(status.leadership?.leads === false && status.leadership.votes > 0
      ? [step("it only watches; an admin who is sure lets it act", "vigie lead --reason WHY")]
      : []),
    ...runs
      .filter((it) => it.state === RunState.FROZEN)
      .map((it) => step("frozen, a person must look", `vigie run show ${it.id}`)),
    ...runs.flatMap((it) => {
      const asked = askedOf(it);
      return asked === undefined
        ? []
        : [step(`when it is so: ${asked.question}`, `vigie run continue ${it.id}`)];
    }),
    ...waiting.map((it) => step("waits for a person", `vigie incident show ${it.id}`)),
    ...runs
      .filter((it) => it.state === RunState.AWAITING_APPROVAL)
      .map((it) => step("read the plan and approve", `vigie approve ${it.id}`)),
    ...critical.map((it) => step("evidence and reasons", `vigie incident show ${it.id}`)),
    ...(health.unknown > 0
      ? [step("which disks nothing is known of", "vigie resources --health unknown")]
      : []),
    ...(health.degraded + health.stalled > 0 && incidents.length === 0
      ? [step("which disks have one copy only; no incident yet", "vigie resources")]
      : []),
    ...(nodes.some(isSilent) ? [step("which nodes are silent", "vigie nodes")] : []),
    ...others.map((it) => step("evidence and reasons", `vigie incident show ${it.id}`)),
    ...runs
      .filter((it) => it.state === RunState.PAUSED)
      .map((it) => step("paused by a person", `vigie run resume ${it.id}`)),
    ...runs
      .filter((it) => goesOn(it.state) && askedOf(it) === undefined)
      .map((it) => step("follow it live", `vigie run follow ${it.id}`)),
  ];
  return steps.length === 0 ? ["Nothing to do."] : aligned(steps.slice(0, AT_MOST));
}

function step(why: string, command: string): Hint {
  return { command, why };
}
