import { Incident } from "@vigie/proto";
import { expect, test } from "vitest";
import { told, withBoundedLog, withNewestLines } from "./incident-log.js";

const LINES = 50;

/** An incident to which `count` lines were told, one after the other. */
function lived(count: number): Incident {
  let incident = Incident.create({ id: "i-1" });
  for (let n = 1; n <= count; n += 1)
    incident = withBoundedLog(told(incident, { monotonicMs: 0, unixMs: n }, `line ${n}`), LINES);
  return incident;
}

test("a history that is not long is kept whole", () => {
  const { events, eventsLeftOut } = lived(LINES);
  expect([events.length, eventsLeftOut]).toEqual([LINES, 0]);
});

test.each([LINES + 1, LINES + 2, 3_000])(
  "of a history of %i lines the beginning and the end are kept, and between them it says how many are left out",
  (count) => {
    const { events, eventsLeftOut } = lived(count);
    expect(events).toHaveLength(LINES);
    expect(events.slice(0, 10).map(({ unixMs }) => unixMs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(events[10]?.text).toBe(`(${eventsLeftOut} lines are left out here)`);
    expect(events.at(-1)?.text).toBe(`line ${count}`);
    expect(events.length - 1 + eventsLeftOut).toBe(count);
    expect(events[11]?.unixMs).toBe(10 + eventsLeftOut + 1);
  },
);

test.each([3, LINES, LINES + 1, 3_000])(
  "of a history of %i lines watchers get the newest, and how many came before",
  (count) => {
    const { events, eventsLeftOut } = withNewestLines(lived(count), 10);
    expect(events.length + eventsLeftOut).toBe(count);
    expect(events.at(-1)?.text).toBe(`line ${count}`);
    expect(events.length).toBe(Math.min(10, count));
  },
);
