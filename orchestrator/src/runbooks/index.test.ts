import { expect, test } from "vitest";
import { RUNBOOK_FOR, runbookByName, RUNBOOKS } from "./index.js";

test("every runbook has its own name, and every kind that is mended names one that is there", () => {
  expect(new Set(RUNBOOKS.map(({ name }) => name)).size).toBe(RUNBOOKS.length);
  expect(Object.values(RUNBOOK_FOR).filter((name) => runbookByName(name) === undefined)).toEqual([]);
});

test("every runbook that a kind names knows what to make of an incident", () => {
  const asked = Object.values(RUNBOOK_FOR).map((name) => runbookByName(name));
  expect(asked.filter((runbook) => runbook?.forIncident === undefined)).toEqual([]);
});

test("every runbook explains itself in lines that fit a terminal, and required parameters come first", () => {
  for (const { name, summary, explanation, parameters } of RUNBOOKS) {
    expect([name, summary === "", explanation.length > 3]).toEqual([name, false, true]);
    expect(explanation.filter((line) => line.length > 115)).toEqual([]);
    const required = parameters.map((p) => p.required);
    expect(required).toEqual(required.toSorted((a, b) => Number(b) - Number(a)));
  }
});
