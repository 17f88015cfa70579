/** Writes old records and archives them until it is killed, and prints how many it had been told are kept. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../sqlite.js";

const BEGAN_UNIX_MS = Date.UTC(2030, 0, 1);
const MONTH_MS = 31 * 86_400_000;
const store = openSqliteStore(process.argv[2] ?? "");
for (;;) {
  const { records } = await store.auditEnd();
  const unixMs = BEGAN_UNIX_MS + Math.floor(records / 200) * MONTH_MS;
  const audit = { unixMs, actor: "engine", action: "test", subject: "", detail: { text: "x".repeat(500) } };
  await store.commit(Array.from({ length: 25 }, () => ({ record: "audit" as const, audit })));
  writeSync(1, `${(await store.auditEnd()).records}\n`);
  await store.commit(await store.archive(unixMs + 1, 20, unixMs));
}
