/** The one question that a run asks of a person: is this node switched off? Who says yes has switched it off. */
import { RunVerb, type Run } from "@vigie/proto";
import { nodeOf, powerOff, reaches } from "../simulator/world.js";
import type { Person } from "./person.js";
import { short, type Scene } from "./scene.js";

/** @returns the run, while it waits for a person's word */
export function asking({ cluster, world }: Scene, runId: string): Run | undefined {
  if (!cluster.runs("orchestrator", world.master)) return undefined;
  const run = cluster
    .orchestrator()
    .executor.open()
    .find(({ id }) => id === runId);
  return run?.progress?.text.includes("a person is asked") === true ? run : undefined;
}

export async function answerTruly(
  { cluster, world, tell, mutant }: Scene,
  person: Person,
  run: Run,
): Promise<void> {
  const name = run.plan?.parameters.find((given) => given.name === "node")?.value ?? "";
  const node = world.nodes.get(name);
  if (mutant.asksNobody) return person.say(RunVerb.CONFIRM, run.id);
  if (node?.up === true && reaches(world, name, world.master)) return person.abort(run.id); // it is back
  if (node?.up === true) {
    tell(`a person switches ${short(name)} off`);
    powerOff(world, nodeOf(world, name).name);
    cluster.killAgent(name);
  }
  await person.say(RunVerb.CONFIRM, run.id);
}
