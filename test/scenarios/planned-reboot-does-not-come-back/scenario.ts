import { goesAway, tell } from "../planned-reboot.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a node that does not come back from its planned reboot is told at the end of its maintenance",
  listens: true,
  play: async (stage) => {
    await goesAway(stage, 2);
    await stage.pass(170);
    tell(stage);
  },
};
