/** No guest runs on two nodes through us. */
import type { World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import { isOurs } from "./copies.js";
import type { Watch } from "./judge.js";

export function watchGuests(world: World, exposure: Exposure): Watch {
  return {
    placed: (instance, node, reasons) => {
      if (!isOurs(reasons)) return [];
      exposure.count("guests started or moved");
      const others = [...world.nodes.values()]
        .filter(({ name, up, guests }) => name !== node && up && guests.has(instance))
        .map(({ name }) => name);
      return others.length === 0
        ? []
        : [`guests: ${reasons.join(" ")} starts ${instance} on ${node}, and it runs on ${others.join(", ")}`];
    },
  };
}
