/** How many of the cluster's mirrored disks have two whole copies: what a storm is measured by (I9). */
import type { ClusterView } from "./cluster-view.js";
import { endViews, type EndView } from "./end-view.js";
import { isRedundant } from "./node-view.js";

export interface Redundancy {
  readonly active: number; // mirrored disks at work
  readonly single: number; // of these, those that are not known to have two whole copies
}

/**
 * What is stopped mirrors nothing and is not counted; what is not known counts as one copy (I11).
 *
 * @param except keys of resources that are left out
 */
export function redundancyOf(view: ClusterView, nowMs: number, except: ReadonlySet<string>): Redundancy {
  const mirrors = [...view.resources.values()]
    .filter(({ key, instance }) => instance !== "" && !except.has(key))
    .map((resource) => endViews(view, resource, nowMs))
    .filter((ends) => !ends.every(({ inactive }) => inactive));
  return { active: mirrors.length, single: mirrors.filter((ends) => !ends.every(isWhole)).length };
}

function isWhole({ drbd, unknown }: EndView): boolean {
  return unknown === "" && drbd !== undefined && isRedundant(drbd);
}
