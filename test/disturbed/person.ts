/** A person at the command line: asks the orchestrator that runs on the master now, and hears what it answers. */
import { createService, type Service } from "@vigie/orchestrator";
import { ControlRunRequest, explain, PlanRunRequest, RunVerb, type Run } from "@vigie/proto";
import type { Confirmed } from "./judge/judge.js";
import { short, type Scene } from "./scene.js";

const NAME = "anna";

export interface Person {
  /** @returns the run, with refusals in its plan or without; undefined: there was no answer, or an error */
  readonly plan: (runbook: string, parameters: Readonly<Record<string, string>>) => Promise<Run | undefined>;
  readonly approve: (run: Run) => Promise<boolean>;
  readonly stop: () => Promise<void>;
  readonly go: () => Promise<void>;
  readonly say: (verb: RunVerb, runId: string) => Promise<void>;
  readonly abort: (runId: string) => Promise<void>;
}

const HOLDS: Readonly<Partial<Record<RunVerb, Confirmed["what"]>>> = {
  [RunVerb.PAUSE]: "paused",
  [RunVerb.TAKE_OVER]: "ended",
};

export function createPerson(scene: Scene): Person {
  const { cluster, judge, tell, exposure } = scene;
  return {
    plan: async (runbook, parameters) => {
      const given = Object.entries(parameters).map(([name, value]) => ({ name, value }));
      const request = PlanRunRequest.create({ runbook, parameters: given });
      const answer = await ask(`do ${runbook} ${JSON.stringify(parameters)}`, (service) =>
        service.planRun(request, NAME),
      );
      exposure.count("runs planned");
      const refusals = answer?.run.plan?.refusals ?? [];
      if (refusals.length > 0) tell(`refused: ${refusals.join("; ")}`);
      return answer?.run;
    },
    approve: async (run) => {
      const { hash = "", typedWord = "" } = run.plan ?? {};
      const answer = await ask(`approve ${run.id}`, (service) =>
        service.approveRun({ runId: run.id, planHash: hash, typedWord }, NAME),
      );
      if (answer !== undefined) exposure.count("runs approved");
      return answer !== undefined;
    },
    stop: async () => {
      const request = { stopped: true, reason: "wrong disk" };
      if ((await ask("stop", (service) => service.setKillSwitch(request, NAME))) !== undefined)
        judge.confirmed({ what: "stopped", runId: "" });
    },
    go: async () => {
      judge.confirmed({ what: "released", runId: "" }); // from the moment when it is asked
      await ask("go", (service) => service.setKillSwitch({ stopped: false, reason: "go" }, NAME));
    },
    say: async (verb, runId) => {
      if (verb === RunVerb.RESUME) judge.confirmed({ what: "resumed", runId });
      const request = ControlRunRequest.create({ runId, verb, reason: "as I say" });
      const answer = await ask(`${verb.replace("RUN_VERB_", "").toLowerCase()} ${runId}`, (service) =>
        service.controlRun(request, NAME),
      );
      const holds = HOLDS[verb];
      if (answer !== undefined && holds !== undefined && holds !== "stopped" && holds !== "released")
        judge.confirmed({ what: holds, runId });
    },
    abort: async (runId) => {
      await ask(`abort ${runId}`, (service) => service.abortRun({ runId, reason: "as I say" }, NAME));
    },
  };

  async function ask<T>(words: string, question: (service: Service) => Promise<T>): Promise<T | undefined> {
    tell(`a person says: vigie ${words}`);
    try {
      return await question(createService(cluster.orchestrator()));
    } catch (error) {
      tell(`the answer: ${explain(error)}`);
      return undefined;
    }
  }
}

export function shortRun(run: Run): string {
  return `${run.id} ${run.plan?.runbook ?? ""} ${short(run.plan?.subject ?? "")}`;
}
