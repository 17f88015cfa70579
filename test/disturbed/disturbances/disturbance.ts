/** What may happen while a run works. */
import type { Run } from "@vigie/proto";
import type { Counted } from "../exposure.js";
import type { Person } from "../person.js";
import type { Scene } from "../scene.js";

export interface Disturbance {
  readonly name: Counted; // for people, and counted under it
  readonly weight: number;
  /** @param run the one that is disturbed */
  readonly happen: (scene: Scene, person: Person, run: Run) => Promise<void>;
}
