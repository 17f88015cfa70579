/** Bugs of the orchestrator: a stop that stops nothing, premises that nobody asks, a run that sleeps for ever. */
import {
  ActionOutcome,
  RunEvent,
  RunEventKind,
  SessionRequest,
  SessionResponse,
  type PlanStep,
  type Run,
} from "@vigie/proto";
import { mutant, type Mutant } from "./mutant.js";

const POLL_MS = 300; // the engine's own
const AFTER_POLLS = 40;

export const ENGINE: readonly Mutant[] = [
  mutant("a stop that is confirmed, and stops nothing", /^I33: sent after a confirmed stop/, {
    focus: { troubles: [], disturbances: ["a person stops everything"] },
    asked: (it) => ({ ...it, killSwitch: { ...it.killSwitch, set: async () => undefined } }),
  }),
  mutant("a pause that is confirmed, and written nowhere", /^I33: sent after its run was paused/, {
    focus: { troubles: [], disturbances: ["a person pauses the run"] },
    asked: (it) => {
      const { executor } = it;
      const known = (id: string): Run | undefined => executor.open().find((run) => run.id === id);
      return {
        ...it,
        executor: {
          ...executor,
          append: async (id, row) =>
            (row.kind === RunEventKind.PAUSE_ASKED ? known(id) : undefined) ?? executor.append(id, row),
        },
      };
    },
  }),
  mutant("premises that nobody asks", /^I15: /, {
    focus: {
      troubles: ["relocate-secondaries", "retire-disk", "resolve-split-brain"],
      disturbances: ["a person migrates a guest", "a person stops a guest"],
    },
    planned: forgetPremises,
  }),
  mutant("an undo that asks nothing, of a node on which guests run again", /^flags: .* offline below/, {
    focus: {
      troubles: ["reinstate-node"],
      disturbances: ["a person aborts the run"],
    },
    planned: (run) => {
      forgetPremises(run, ({ onlyAsUndo }) => onlyAsUndo);
      for (const step of run.plan?.steps ?? []) step.irreversible = false;
    },
  }),
  mutant(
    "an undo that asks nothing, of a node whose guest was started elsewhere",
    /^flags: .* online again/,
    {
      focus: {
        troubles: ["disable-dead-node"],
        disturbances: ["a person acts by hand on the run's node, and aborts the run", "a person answers"],
      },
      planned: (run) => forgetPremises(run, ({ onlyAsUndo }) => onlyAsUndo),
    },
  ),
  mutant("a dead node that was heard again, and nobody remembers it", /^silence: /, {
    focus: {
      troubles: ["disable-dead-node"],
      disturbances: ["a dead node lives for a while"],
    },
    planned: (run) => {
      for (const { what } of (run.plan?.steps ?? []).flatMap(({ premises }) => premises))
        if (what?.$case === "nodeSilent") what.value.sinceUnixMs = 0;
    },
  }),
  mutant("an hbal that is not ended by a stop", /^I33: hbal /, {
    focus: { troubles: ["reinstate-node"], disturbances: ["a person stops everything"] },
    host: (host) => ({
      ...host,
      run: ({ endedBy, ...command }) =>
        host.run(endedBy === undefined ? command : { ...command, endedBy: DEAF }),
    }),
  }),
  mutant("runs on an instance that do not wait for hbal", /^I9: .* while hbal of /, {
    focus: {
      troubles: ["reinstate-node"],
      disturbances: ["a person plans something else on the same"],
    },
    planned: ({ plan }) => {
      if (plan !== undefined) plan.locks = plan.locks.filter((lock) => !lock.startsWith("instance "));
    },
  }),
  mutant("locks that nobody sees", /^I9: .* holds /, {
    focus: { troubles: [], disturbances: ["a person plans the same again"] },
    asked: (it) => ({ ...it, executor: { ...it.executor, atWork: () => [] } }),
  }),
  mutant("an approval that does not grow old", /^I32: /, {
    focus: {
      troubles: ["relocate-secondaries", "retire-disk"],
      disturbances: ["a person stops everything, and lets it go after 20 minutes"],
    },
    planned: ({ events }) => void events.push(RunEvent.create({ kind: RunEventKind.PERSON_SAID })),
  }),
  mutant("a node that is taken for switched off, and nobody was asked", /^guests: /, {
    focus: { troubles: ["disable-dead-node"], disturbances: ["a person answers"] },
    asksNobody: true,
    planned: forgetPremises,
  }),
  mutant("a plan that does not say what may be lost", /^losses: /, {
    focus: { troubles: ["disable-dead-node"], disturbances: ["a person answers"] },
    asked: (it) => ({
      ...it,
      responder: {
        ...it.responder,
        plan: async (...request) => {
          const plan = await it.responder.plan(...request);
          return { ...plan, notes: plan.notes.filter((note) => !note.includes("MAY LOSE DATA")) };
        },
      },
    }),
  }),
  mutant("a run that sleeps for ever", /^a run waits for ever/, {
    clock: (clock) => {
      let polls = 0;
      return {
        ...clock,
        sleep: (ms, signal) =>
          ms === POLL_MS && (polls += 1) > AFTER_POLLS
            ? new Promise(() => undefined)
            : clock.sleep(ms, signal),
      };
    },
  }),
  mutant("an old master that is told that it still is one", /^I26: /, {
    focus: { troubles: ["retire-disk", "relocate-secondaries"], disturbances: ["the master moves"] },
    wire: {
      answered: (message, _from, to) =>
        message.body?.$case === "report"
          ? SessionRequest.create({
              body: { $case: "report", value: { ...message.body.value, masterNode: to, highestEpoch: 0 } },
            })
          : message,
    },
    host: (host) => ({
      ...host,
      readFile: async (path) =>
        path.endsWith("ssconf_master_node") ? firstMaster(host, path) : host.readFile(path),
    }),
  }),
  mutant("a step that is asked again though it has run", /^I22: /, {
    wire: {
      answered: (message) => {
        const { body } = message;
        if (body?.$case !== "actionResult" || body.value.outcome !== ActionOutcome.DONE) return message;
        const value = { ...body.value, outcome: ActionOutcome.REFUSED, code: "TOO_LATE" };
        return SessionRequest.create({ body: { $case: "actionResult", value } });
      },
    },
  }),
  mutant("a request that is good for ever, and waits for long", /^I27: /, {
    wire: {
      holdsBackMs: () => 14_000,
      altered: (message) =>
        message.body?.$case === "actionRequest"
          ? SessionResponse.create({
              body: { $case: "actionRequest", value: { ...message.body.value, notAfterMs: 10_000_000 } },
            })
          : message,
    },
  }),
];

const DEAF = new AbortController().signal;

function forgetPremises(run: Run, of: (step: PlanStep) => boolean = () => true): void {
  for (const step of run.plan?.steps.filter(of) ?? []) {
    step.premises = [];
    step.requires = undefined;
  }
}

const FIRST = new WeakMap<object, string>();

/** It goes on with the master that it read first. */
async function firstMaster(
  host: { readonly readFile: (path: string) => Promise<string> },
  path: string,
): Promise<string> {
  const first = FIRST.get(host) ?? (await host.readFile(path));
  FIRST.set(host, first);
  return first;
}
