import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a node that dies is told within seconds, and its disks become unknown, not healthy",
  play: async ({ cluster, story, pass }) => {
    const node = cluster.world.nodes.get("h3.sim.example");
    if (node !== undefined) node.up = false;
    cluster.killAgent("h3.sim.example");
    story.note("h3 loses its power");
    await pass(40);
  },
};
