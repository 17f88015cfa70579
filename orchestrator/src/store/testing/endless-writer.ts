/** Commits until it is killed, and prints the number of each commit once it is told that it is kept. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../sqlite.js";

const store = openSqliteStore(process.argv[2] ?? "");
for (let number = 1; ; number += 1) {
  await store.commit([
    {
      record: "audit",
      audit: { unixMs: number, actor: "engine", action: "test", subject: "", detail: { number } },
    },
    {
      record: "watch",
      unixMs: number,
      event: { $case: "node", value: { node: "h1", reporting: true, text: "" } },
    },
  ]);
  writeSync(1, `${number}\n`);
}
