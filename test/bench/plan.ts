/** How long a runbook takes to plan on a large cluster, once the code is warm: the slowest of several. */
import { bigView, losesItsDisk, requestOf, runbookByName } from "@vigie/orchestrator";
import { median } from "./figures.js";
import type { Part } from "./part.js";

const NODES = 100;
const INSTANCES = 2_000;
const WARM_UP = 5;
const MEASURED = 20;

/** Each on the cluster whose trouble it is for. */
const ASKED: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["rebuild-redundancy", {}], // of the whole cluster
  ["rebuild-redundancy", { target: "h1" }],
  ["relocate-secondaries", { node: "h1" }],
  ["retire-disk", { node: "h2", disk: "sdb" }],
  ["cleanup-migration", { instance: "web7" }],
];

export const planPart: Part = {
  name: "plan",
  runs: 3,
  run: async (_options, note) => {
    const view = bigView(NODES, INSTANCES, (world) => losesItsDisk(world, "h1"));
    const tookMs = ASKED.map(([name, parameters]) => [name, medianMs(name, parameters)] as const);
    function medianMs(name: string, parameters: Readonly<Record<string, string>>): number {
      const runbook = runbookByName(name);
      if (runbook === undefined) throw new Error(`there is no runbook ${name}`);
      const times: number[] = [];
      for (let i = 0; i < WARM_UP + MEASURED; i += 1) {
        const begunMs = performance.now();
        runbook.plan(requestOf(view, parameters));
        if (i >= WARM_UP) times.push(performance.now() - begunMs);
      }
      return median(times);
    }
    note(tookMs.map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(", "));
    return { plan_2000_ms: Math.max(...tookMs.map(([, ms]) => ms)) };
  },
};
