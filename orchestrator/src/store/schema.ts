/** The tables, by version. A migration is added at the end and never changed; user_version counts them. */
import type { DatabaseSync } from "node:sqlite";

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE incidents (id TEXT PRIMARY KEY, closed INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE INDEX incidents_open ON incidents (closed, id);
  CREATE TABLE runs (id TEXT PRIMARY KEY, open INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE INDEX runs_open ON runs (open, id);
  CREATE TABLE run_events (run_id TEXT NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run_id, sequence)) STRICT;
  CREATE TABLE watch_events (cursor INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE INDEX watch_events_age ON watch_events (unix_ms);
  CREATE TABLE transitions (
    id INTEGER PRIMARY KEY, unix_ms INTEGER NOT NULL, node TEXT NOT NULL, minor INTEGER NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL
  ) STRICT;
  CREATE INDEX transitions_age ON transitions (unix_ms);
  CREATE INDEX transitions_of ON transitions (node, minor, id);
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, detail_json TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE leadership (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE kill_switch (one INTEGER PRIMARY KEY CHECK (one = 1), why TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE journals (node TEXT PRIMARY KEY, records INTEGER NOT NULL, head TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE kill_switch ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
  `,
  `
  CREATE TABLE alive (one INTEGER PRIMARY KEY CHECK (one = 1), unix_ms INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE notices (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, unix_ms INTEGER NOT NULL, cause TEXT NOT NULL, about TEXT NOT NULL,
    severity TEXT NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE messages (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, unix_ms INTEGER NOT NULL, delivered_unix_ms INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX messages_age ON messages (unix_ms);
  CREATE TABLE told (
    channel TEXT NOT NULL, about TEXT NOT NULL, unix_ms INTEGER NOT NULL, thread TEXT NOT NULL, PRIMARY KEY (channel, about)
  ) STRICT;
  CREATE TABLE channels (
    name TEXT PRIMARY KEY, delivered_unix_ms INTEGER NOT NULL, failing_since_unix_ms INTEGER NOT NULL, reason TEXT NOT NULL,
    alarmed INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE maintenance (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL) STRICT;
  `,
  // What ended before this version counts from now on: kept too long, and never too short.
  `
  ALTER TABLE runs ADD COLUMN ended_unix_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE incidents ADD COLUMN closed_unix_ms INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET ended_unix_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE open = 0;
  UPDATE incidents SET closed_unix_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE closed = 1;
  CREATE INDEX runs_ended ON runs (ended_unix_ms, id);
  CREATE INDEX incidents_ended ON incidents (closed_unix_ms, id);
  CREATE INDEX notices_about ON notices (about);
  CREATE TABLE forgotten_runs (id TEXT PRIMARY KEY) STRICT;
  CREATE TABLE retention (one INTEGER PRIMARY KEY CHECK (one = 1), unix_ms INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE audit_archives (
    first_sequence INTEGER PRIMARY KEY, name TEXT NOT NULL, first_unix_ms INTEGER NOT NULL, records INTEGER NOT NULL,
    head TEXT NOT NULL, bytes INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE audit_checked (
    one INTEGER PRIMARY KEY CHECK (one = 1), records INTEGER NOT NULL, head TEXT NOT NULL, whole_unix_ms INTEGER NOT NULL
  ) STRICT;
  `,
];

/**
 * @param upTo the version to stop at, for tests of those that follow
 * @throws Error when the file was written by a newer version: going on would lose what it does not know
 */
export function migrate(database: DatabaseSync, upTo = MIGRATIONS.length): void {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > MIGRATIONS.length)
    throw new Error(`schema ${version} is newer than this program's ${MIGRATIONS.length}`);
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version || index >= upTo) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
