import { expect, test } from "vitest";
import { ganetiLimits, modeByTags } from "./tags.js";

test("the nearest object that says anything wins", () => {
  expect(modeByTags("stalled-sync", [[], ["vigie:ask"], ["vigie:auto"]])).toBe("ask");
  expect(modeByTags("stalled-sync", [["vigie:auto"], ["vigie:observe"], []])).toBe("auto");
});

test("of several tags on one object the more careful wins, whichever is the more exact", () => {
  expect(modeByTags("stalled-sync", [["vigie:auto:stalled-sync", "vigie:ask"]])).toBe("ask");
  expect(modeByTags("stalled-sync", [["vigie:observe:stalled-sync", "vigie:auto"]])).toBe("observe");
});

test("a tag for another kind, or one that is no such tag, says nothing", () => {
  const tags = ["vigie:auto:failing-disk", "vigie:Auto", "vigie:auto:", "vigie", "xvigie:auto"];
  expect(modeByTags("stalled-sync", [tags])).toBeUndefined();
  expect(modeByTags("failing-disk", [tags])).toBe("auto");
});

const LADDER = "ganeti:watcher:autorepair";

test("Ganeti's ladder limits how far a runbook may go unasked, and no tag limits nothing", () => {
  expect(ganetiLimits("failover", [[]], 0)).toEqual([]);
  expect(ganetiLimits("fix-storage", [[`${LADDER}:fix-storage`]], 0)).toEqual([]);
  expect(ganetiLimits("migrate", [[`${LADDER}:fix-storage`], [`${LADDER}:failover`]], 0)).toHaveLength(1);
  expect(ganetiLimits("migrate", [[`${LADDER}:failover`, `${LADDER}:fix-storage`]], 0)).toHaveLength(1);
  expect(ganetiLimits("none", [[`${LADDER}:fix-storage`]], 0)).toEqual([]);
});

test("a suspension counts until its time, and for ever without one", () => {
  expect(ganetiLimits("none", [[], [`${LADDER}:suspend`]], 100)).toHaveLength(1);
  expect(ganetiLimits("none", [[], [`${LADDER}:suspend:101`]], 100)).toHaveLength(1);
  expect(ganetiLimits("none", [[], [`${LADDER}:suspend:100`]], 100)).toEqual([]);
});
