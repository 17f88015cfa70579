/** The times that count at night, on a real kernel: Ganeti, DRBD and packet loss in the lab, Vigie as it is shipped. */
import { labObstacle } from "../../lab/index.js";
import type { Part } from "../part.js";
import { slowestFault } from "./faults.js";
import { migrationTimes } from "./migration.js";
import { runsBackAfter } from "./crash.js";
import { setStage } from "./stage.js";
import { stallTimes } from "./stall.js";

export const labPart: Part = {
  name: "lab",
  runs: 3,
  obstacle: labObstacle,
  run: async (_options, note) => {
    const stage = await setStage(note);
    const { flaggedS, healedS } = await stallTimes(stage, note);
    const faultS = await slowestFault(stage, note);
    const migration = await migrationTimes(stage, note);
    return {
      stall_flagged_s: flaggedS,
      stall_healed_s: healedS,
      fault_flagged_s: faultS,
      runs_back_s: await runsBackAfter(stage, note),
      recover_migration_s: migration.recoveredS,
      recover_overhead_s: migration.overheadS,
    };
  },
};
