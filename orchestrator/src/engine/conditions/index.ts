/** The table of conditions: adding one is its message, its definition and its line here. */
import {
  RunEventKind,
  type AllOf,
  type AnyOf,
  type Condition,
  type PersonSays,
  type StepRan,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { mayHaveRun } from "../run-log.js";
import {
  never,
  notYet,
  seen,
  type Ask,
  type ConditionCase,
  type ConditionDefinition,
  type ParamsOf,
  type Seen,
  type Watch,
  type WatchContext,
} from "./condition.js";
import { diskInState, mapsGone, volumeGroupOn, volumeThere } from "./disks.js";
import {
  jobOver,
  jobQueued,
  jobStill,
  jobSucceeded,
  nodeEmpty,
  nodeFlagged,
  nodeReports,
  queueFree,
  watcherPaused,
} from "./ganeti.js";
import { instanceOn, redundant } from "./instances.js";
import { cutGone, cutStands, linkDown, resyncMoves, resyncStands } from "./links.js";
import { minorDiskless, minorGone, minorNotHeld, partitionsUnmapped, victimReady } from "./minors.js";

const personSays: ConditionDefinition<PersonSays> = {
  asks: () => [],
  watch:
    ({ question }, { events, stepId }) =>
    () => {
      const said = events().findLast((e) => e.kind === RunEventKind.PERSON_SAID && e.stepId === stepId);
      return said === undefined
        ? notYet(`a person is asked: ${question}`)
        : seen(`${said.actor}: ${said.text}`);
    },
};

const stepRan: ConditionDefinition<StepRan> = {
  asks: () => [],
  watch:
    ({ stepId }, { events }) =>
    () =>
      mayHaveRun(events(), stepId) ? seen(`${stepId} was done`) : never(`${stepId} was not done`),
};

const allOf: ConditionDefinition<AllOf> = {
  asks: ({ conditions }, view, context) => conditions.flatMap((one) => asksOf(one, view, context)),
  watch: ({ conditions }, context) => {
    const watches = conditions.map((one) => createWatch(one, context));
    return (view) => {
      const all = watches.map((watch) => watch(view));
      const missing = all.filter((one) => !one.seen);
      if (missing.length === 0) return seen(all.map((one) => one.what ?? "").join("; "));
      return missing.find((one) => one.never !== "") ?? together(missing);
    };
  },
};

const anyOf: ConditionDefinition<AnyOf> = {
  asks: ({ conditions }, view, context) => conditions.flatMap((one) => asksOf(one, view, context)),
  watch: ({ conditions }, context) => {
    const watches = conditions.map((one) => createWatch(one, context));
    return (view) => {
      const all = watches.map((watch) => watch(view));
      const found = all.find((one) => one.seen);
      if (found !== undefined) return found;
      const missing = all.filter((one) => !one.seen);
      const over = missing.map((one) => one.never).filter((why) => why !== "");
      return over.length === all.length ? never(over.join("; ")) : together(missing);
    };
  },
};

/** How each is now, and how far the one is that can be measured. */
function together(missing: readonly Extract<Seen, { seen: false }>[]): Seen {
  const texts = missing.map((one) => one.what ?? "").filter((text) => text !== "");
  return notYet(texts.join("; "), missing.find((one) => one.progress !== undefined)?.progress);
}

const CONDITIONS: { readonly [C in ConditionCase]: ConditionDefinition<ParamsOf<C>> } = {
  cutStands,
  cutGone,
  linkDown,
  resyncMoves,
  resyncStands,
  stepRan,
  jobSucceeded,
  jobOver,
  queueFree,
  watcherPaused,
  redundant,
  instanceOn,
  nodeEmpty,
  nodeFlagged,
  nodeReports,
  minorDiskless,
  minorGone,
  minorNotHeld,
  partitionsUnmapped,
  diskInState,
  mapsGone,
  volumeGroupOn,
  victimReady,
  jobQueued,
  jobStill,
  volumeThere,
  allOf,
  anyOf,
  personSays,
};

/** Only what was read after `context.sinceMs` counts. */
export function createWatch(condition: Condition | undefined, context: WatchContext): Watch {
  const what = condition?.what;
  const definition = what === undefined ? undefined : definitionOf(what);
  if (what === undefined || definition === undefined)
    return () => never("this version does not know what to look for");
  return definition.watch(what.value, context);
}

/** Whom to ask for what, so that a look is of now. */
export function asksOf(
  condition: Condition | undefined,
  view: ClusterView,
  context: WatchContext,
): readonly Ask[] {
  const what = condition?.what;
  return what === undefined ? [] : (definitionOf(what)?.asks(what.value, view, context) ?? []);
}

/** Each definition takes the parameters of its own case; a case of a newer version has none here. */
function definitionOf(what: NonNullable<Condition["what"]>) {
  return CONDITIONS[what.$case] as ConditionDefinition<typeof what.value> | undefined;
}
