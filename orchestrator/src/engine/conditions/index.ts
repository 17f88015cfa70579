/** The table of conditions: adding one is its message, its definition and its line here. */
import type { AllOf, AnyOf, Condition } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
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
import { mayConnect } from "./generations.js";
import { cutGone, cutStands, linkDown, resyncMoves, resyncStands } from "./links.js";
import {
  copyBroken,
  copyUpToDate,
  minorDiskless,
  minorGone,
  minorNotHeld,
  partitionsUnmapped,
  victimReady,
} from "./minors.js";
import { nodeQuiet, nodeSilent } from "./nodes.js";
import { instancePlaced, noCopyOn } from "./placement.js";
import { commandsSucceeded, personSays, stepRan } from "./steps.js";

const allOf: ConditionDefinition<AllOf> = {
  asks: ({ conditions }, view, context) => conditions.flatMap((one) => asksOf(one, view, context)),
  watch: ({ conditions }, context) => {
    const watches = conditions.map((one) => createWatch(one, context));
    return (view) => {
      const all = watches.map((watch) => watch(view));
      const missing = all.filter((one) => !one.seen);
      if (missing.length === 0) return seen(all.map((one) => one.what ?? "").join("; "));
      return missing.find((one) => one.never !== "") ?? together(missing, stuckOf(missing));
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
      if (over.length === all.length) return never(over.join("; "));
      return together(missing, stuckOf(missing.filter((one) => one.never === "")));
    };
  },
};

/** How each is now, and how far the one is that can be measured. */
function together(missing: readonly NotSeen[], stuck: string | undefined): Seen {
  const texts = missing.map((one) => one.what ?? "").filter((text) => text !== "");
  const soFar = notYet(texts.join("; "), missing.find((one) => one.progress !== undefined)?.progress);
  const asksPerson = missing.some((one) => one.asksPerson === true);
  return { ...soFar, ...(stuck === undefined ? {} : { stuck }), ...(asksPerson ? { asksPerson } : {}) };
}

/** Only where none of them may come by itself: while a job is queued, the disks that it will mend are still broken. */
function stuckOf(missing: readonly NotSeen[]): string | undefined {
  const whys = missing.map((one) => one.stuck);
  return whys.every((why) => why !== undefined) ? whys.join("; ") : undefined;
}

type NotSeen = Extract<Seen, { seen: false }>;

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
  instancePlaced,
  noCopyOn,
  nodeSilent,
  nodeQuiet,
  copyBroken,
  mayConnect,
  copyUpToDate,
  commandsSucceeded,
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
