import { VigieError } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { emptyView } from "../view/cluster-view.js";
import { diskNamed, instanceNamed, minorNumber, nodeNamed, wholeNumber, yesOrNo } from "./parameters.js";
import { viewOf, worldOf } from "./testing.js";

const view = viewOf(
  worldOf(
    ["h1.example", "h2.example", "h3.example", "h3.other"],
    [
      { name: "web1.example", primary: "h1.example", secondary: "h2.example" },
      { name: "web1.test", primary: "h1.example", secondary: "h2.example" },
      { name: "nagios.example", primary: "h2.example", secondary: "h1.example" },
    ],
  ),
);

test.each([
  ["nagios.example", "nagios.example"],
  ["nagios", "nagios.example"],
  ["web1.test", "web1.test"],
])("the instance %s is %s", (given, name) => {
  expect(instanceNamed(view, given).name).toBe(name);
});

test.each([
  ["h2", "h2.example"],
  ["h3.other", "h3.other"],
])("the node %s is %s", (given, name) => {
  expect(nodeNamed(view, given)).toBe(name);
});

describe("what is given wrong is answered with what to give instead:", () => {
  const code = (run: () => unknown): string => {
    try {
      run();
      return "nothing";
    } catch (error) {
      return error instanceof VigieError ? `${error.code}: ${error.message}` : String(error);
    }
  };
  test.each<[() => unknown, string]>([
    [
      () => instanceNamed(view, "web1"),
      'INVALID_ARGUMENT: "web1" may be web1.example or web1.test: give the instance\'s name in full',
    ],
    [
      () => instanceNamed(view, "nagois"),
      'NOT_FOUND: there is no instance "nagois": did you mean nagios.example?',
    ],
    [() => nodeNamed(view, "h3"), "INVALID_ARGUMENT"],
    [
      () => nodeNamed(view, "storage"),
      'NOT_FOUND: there is no node "storage": there are h1.example, h2.example, h3.example, h3.other',
    ],
    [() => instanceNamed(emptyView("h1"), "web1"), "Ganeti's configuration is not known yet, ask again"],
    [() => diskNamed(view, "h1.example", "sdz"), 'h1.example has no disk "sdz": it has sda, sdb'],
    [() => diskNamed(view, "h1.example", "/dev/sdb1"), "give the whole disk, sdb"],
    [() => minorNumber("45x"), "give the N of /dev/drbdN"],
    [() => minorNumber("9999999"), "give the N of /dev/drbdN"],
    [() => yesOrNo("migrate", "y"), "migrate=y: say yes or no"],
    [() => wholeNumber("at_once", "9", 1, 1, 8), "give a number from 1 to 8"],
  ])("%#", (run, answer) => {
    expect(code(run)).toContain(answer);
  });
});

test.each([
  ["45", 45],
  ["drbd45", 45],
  ["/dev/drbd0", 0],
])("the minor %s is %i", (text, minor) => {
  expect(minorNumber(text)).toBe(minor);
});

test("a disk is found by its name or its path", () => {
  expect(diskNamed(view, "h1.example", "/dev/sdb").name).toBe("sdb");
});

test("what is not given is as the runbook says", () => {
  expect([yesOrNo("a", undefined), yesOrNo("a", "", true), yesOrNo("a", "no", true)]).toEqual([
    false,
    true,
    false,
  ]);
});
