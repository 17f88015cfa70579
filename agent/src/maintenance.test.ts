import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Maintenance } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openJournal, type Journal } from "./journal.js";
import { rememberMaintenance } from "./maintenance.js";
import { STOP_JUMP_MAX } from "./stop.js";

const H2 = Maintenance.create({ node: "h2", begunUnixMs: 1, untilUnixMs: 7_200_001, person: "anna" });

let folder: string;
let path: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-maintenance-"));
  path = join(folder, "journal");
  journal = openJournal(path);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function restarted(): Journal {
  journal.close();
  journal = openJournal(path);
  return journal;
}

test("planned maintenance is known after a restart, and the newest list counts, in whatever order they come", () => {
  rememberMaintenance(journal, { number: 2, maintenances: [H2] }, 0);
  rememberMaintenance(journal, { number: 1, maintenances: [] }, 0);
  expect(restarted().maintenance()).toEqual({ number: 2, maintenances: [H2] });
  rememberMaintenance(journal, { number: 3, maintenances: [] }, 0);
  expect(restarted().maintenance()).toEqual({ number: 3, maintenances: [] });
});

test("it is in each checkpoint, so that it outlives the records before it", () => {
  rememberMaintenance(journal, { number: 2, maintenances: [H2] }, 0);
  for (let day = 1; day <= 40; day += 1) expect(journal.checkpoint(day * 86_400_000)).toBe("");
  expect(restarted().maintenance()).toEqual({ number: 2, maintenances: [H2] });
});

test("the same one again writes nothing, and a number beyond reason is refused", () => {
  rememberMaintenance(journal, { number: 1, maintenances: [H2] }, 0);
  const before = journal.records();
  rememberMaintenance(journal, { number: 1, maintenances: [] }, 0);
  expect(journal.records()).toBe(before);
  const beyond = { number: STOP_JUMP_MAX + 2, maintenances: [] };
  expect(() => rememberMaintenance(journal, beyond, 0)).toThrow("beyond reason");
});
