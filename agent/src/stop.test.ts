import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openJournal, type Journal } from "./journal.js";
import { rememberStop, STOP_JUMP_MAX } from "./stop.js";

let folder: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-stop-"));
  journal = openJournal(join(folder, "journal"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a stop is known after a restart, and the newest counts, in whatever order they come", () => {
  rememberStop(journal, { number: 2, why: "anna: wrong disk" }, 0);
  rememberStop(journal, { number: 1, why: "" }, 0);
  journal.close();
  journal = openJournal(join(folder, "journal"));
  expect(journal.stop()).toEqual({ number: 2, why: "anna: wrong disk" });
  rememberStop(journal, { number: 3, why: "" }, 0);
  expect(journal.stop()).toEqual({ number: 3, why: "" });
});

test("the same one again writes nothing", () => {
  rememberStop(journal, { number: 1, why: "anna: x" }, 0);
  const before = journal.records();
  rememberStop(journal, { number: 1, why: "anna: x" }, 0);
  expect(journal.records()).toBe(before);
});

test("a number beyond reason is refused: every later setting would count for nothing", () => {
  expect(() => rememberStop(journal, { number: STOP_JUMP_MAX + 1, why: "" }, 0)).toThrow("beyond reason");
  expect(journal.stop().number).toBe(0);
});
