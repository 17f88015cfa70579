/** What to type next, the most urgent first. An answer, not a manual: at most six lines. */
import { IncidentState, RunState, Severity, type Incident, type Run } from "@vigie/proto";
import { aligned, type Hint } from "../../wording/command-line.js";
import { isSilent } from "./nodes.js";
import { incidentStep, personsStep } from "../../wording/next-step.js";
import { askedOf, goesOn } from "../../wording/progress.js";
import { isQuiet } from "../../wording/quiet.js";
import type { StatusView } from "./status-view.js";

const AT_MOST = 6;

export function nextSteps(view: StatusView): string[] {
  const { status, runs, health, unexplained, nodes } = view;
  const incidents = view.incidents.filter((it) => !isQuiet(it));
  const waiting = incidents.filter((it) => it.state === IncidentState.NEEDS_PERSON);
  const critical = incidents.filter((it) => it.severity === Severity.CRITICAL && !waiting.includes(it));
  const others = incidents.filter((it) => !waiting.includes(it) && !critical.includes(it));
  const steps = [
    ...(status.auditIntact ? [] : [step("what is wrong with the audit log", "vigie audit verify")]),
    ...(status.killSwitch === "" ? [] : [step("let it act again", "vigie go --reason WHY")]),
    ...(status.leadership?.leads === false && status.leadership.votes > 0
      ? [step("it only watches; an admin who is sure lets it act", "vigie lead --reason WHY")]
      : []),
    ...stepsOf(runs.filter((it) => it.state === RunState.FROZEN)),
    ...stepsOf(runs.filter((it) => askedOf(it) !== undefined)),
    ...waiting.map((it) => show(it)),
    ...stepsOf(runs.filter((it) => it.state === RunState.AWAITING_APPROVAL)),
    ...status.channels
      .filter((it) => it.cannotDeliver)
      .map((it) => step("whether its receiver answers", `vigie notify test ${it.name}`)),
    ...critical.map((it) => show(it)),
    ...(unexplained.unknown > 0
      ? [step("which disks nothing is known of", "vigie resources --health unknown")]
      : []),
    ...(unexplained.degraded + health.stalled > 0 && incidents.length === 0
      ? [step("which disks have one copy only; no incident yet", "vigie resources")]
      : []),
    ...(nodes.some(isSilent) ? [step("which nodes are silent", "vigie nodes")] : []),
    ...others.map((it) => show(it)),
    ...runs
      .filter((it) => it.state === RunState.PAUSED)
      .map((it) => step("paused by a person", `vigie run resume ${it.id}`)),
    ...runs
      .filter((it) => goesOn(it.state) && askedOf(it) === undefined)
      .map((it) => step("follow it live", `vigie run follow ${it.id}`)),
  ];
  return steps.length === 0 ? ["Nothing to do."] : aligned(steps.slice(0, AT_MOST));
}

function stepsOf(runs: readonly Run[]): Hint[] {
  return runs.map(personsStep).filter((it) => it !== undefined);
}

/** Its runs have lines of their own. */
function show(incident: Incident): Hint {
  return incidentStep({ ...incident, decision: [] });
}

function step(why: string, command: string): Hint {
  return { command, why };
}
