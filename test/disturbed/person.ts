/** A person at the command line: asks the orchestrator that runs on the master now, and hears what it answers. */
import { createService, type Orchestrator, type Service } from "@vigie/orchestrator";
import { ControlRunRequest, explain, PlanRunRequest, RunEventKind, RunVerb, type Run } from "@vigie/proto";
import type { Confirmed } from "./judge/judge.js";
import type { Scene } from "./scene.js";

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

/** After one of these rows a run looks whether its next step may be sent. */
const CHECKS: ReadonlySet<RunEventKind> = new Set([
  RunEventKind.APPROVED,
  RunEventKind.STEP_VERIFIED,
  RunEventKind.STEP_SKIPPED,
  RunEventKind.RETRY_ASKED,
]);

const HOLDS: Readonly<Partial<Record<RunVerb, Confirmed["what"]>>> = {
  [RunVerb.PAUSE]: "paused",
  [RunVerb.TAKE_OVER]: "ended",
};

export function createPerson(scene: Scene): Person {
  const { cluster, judge, tell, exposure, runs, world, clock, mutant } = scene;
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
      if (answer !== undefined && refusals.length === 0) {
        runs.planned(answer.run);
        judge.planned(answer.run.id);
        mutant.planned(answer.run);
      }
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
      const answer = await ask("stop", (service) => service.setKillSwitch(request, NAME));
      if (answer?.confirmed === true) confirmed({ what: "stopped", runId: "" });
    },
    go: async () => {
      judge.confirmed({ what: "released", runId: "" }); // from the moment when it is asked
      await ask("go", (service) => service.setKillSwitch({ stopped: false, reason: "go" }, NAME));
    },
    say: async (verb, runId) => {
      if (verb === RunVerb.RESUME) judge.confirmed({ what: "resumed", runId });
      const request = ControlRunRequest.create({ runId, verb, reason: "yes, as I say" });
      const answer = await ask(`${verb.replace("RUN_VERB_", "").toLowerCase()} ${runId}`, (service) =>
        service.controlRun(request, NAME),
      );
      const holds = HOLDS[verb];
      if (answer !== undefined && holds !== undefined) confirmed({ what: holds, runId });
    },
    abort: async (runId) => {
      judge.confirmed({ what: "aborted", runId });
      await ask(`abort ${runId}`, (service) => service.abortRun({ runId, reason: "as I say" }, NAME));
    },
  };

  function confirmed(what: Confirmed): void {
    if (what.what !== "ended") exposure.count("steps checked while stopped", checking().length);
    judge.confirmed(what);
  }

  /** None where the master has moved since it was asked, and no orchestrator runs there yet. */
  function checking(): readonly Run[] {
    if (!cluster.runs("orchestrator", world.master)) return [];
    const open = cluster.orchestrator().executor.open();
    return open.filter(({ events }) => CHECKS.has(events.at(-1)?.kind ?? RunEventKind.ENDED));
  }

  async function ask<T>(words: string, question: (service: Service) => Promise<T>): Promise<T | undefined> {
    tell(`a person says: vigie ${words}`);
    try {
      while (!cluster.runs("orchestrator", world.master)) {
        if (!cluster.isFrozen("orchestrator", world.master)) throw new Error("no orchestrator runs there");
        await clock.sleep(100);
      }
      const asked = cluster.orchestrator();
      return await answered(question(createService(mutant.asked(asked))), asked);
    } catch (error) {
      tell(`the answer: ${explain(error)}`);
      return undefined;
    }
  }

  /** A process that dies in the middle gives no answer: the connection ends. */
  async function answered<T>(answer: Promise<T>, asked: Orchestrator): Promise<T> {
    const wait = { over: false };
    const lost = async (): Promise<never> => {
      while (!wait.over && cluster.isAlive(asked)) await clock.sleep(200);
      throw new Error("the connection is lost");
    };
    return Promise.race([answer, lost()]).finally(() => (wait.over = true));
  }
}
