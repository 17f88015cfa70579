/** A runbook on its stage, as a scenario: a person plans and approves it, and says what it asks. */
import { playWhole } from "../simulator/play.js";
import { STAGES } from "../simulator/stages.js";
import type { Scenario } from "./scenario.js";

const BY_A_PERSON = { policy: { stalled_sync: "observe" } };

/** @param nth of the runbook's stages */
export function runbookScenario(runbook: string, nth = 0): Scenario {
  const stage = STAGES.filter((each) => each.runbook === runbook)[nth];
  if (stage === undefined) throw new Error(`${runbook} has no stage ${nth}`);
  return {
    title: `${runbook}: ${stage.title}`,
    config: BY_A_PERSON,
    play: (theatre) => playWhole(stage, theatre),
  };
}
