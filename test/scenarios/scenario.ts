/** What a scenario is: a folder with this, and expected.log beside it. */
import type { Message } from "@vigie/proto";
import type { SimCluster } from "../simulator/cluster.js";
import type { Story } from "../simulator/story.js";
import type { VirtualClock } from "../simulator/virtual-clock.js";

export interface Stage {
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
  readonly story: Story;
  /** What people were told so far, where somebody listens. */
  readonly messages: readonly Message[];
  /** Lets time pass, and looks at the invariants all the while. */
  readonly pass: (seconds: number) => Promise<void>;
  /** Lets time pass until it holds; fails the scenario when it does not within `seconds`. */
  readonly until: (what: string, holds: () => boolean, seconds: number) => Promise<void>;
}

export interface Scenario {
  /** A sentence about the world. */
  readonly title: string;
  readonly config?: object; // of the orchestrator
  readonly listens?: boolean; // there is a channel to people
  readonly play: (stage: Stage) => Promise<void>;
}
