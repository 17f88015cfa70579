/** The outbox in SQLite, within the store's transactions. */
import { Message, type NoticeCause, type Severity } from "@vigie/proto";
import { number, text, type Row, type Sql } from "./sql.js";
import type { ChannelRecord, Notice, Outbox, OutboxChange, Told } from "./outbox.js";

export interface SqliteOutbox {
  /** The rows of messages as they are: one may be damaged. */
  readonly read: (
    composedAfterUnixMs: number,
  ) => Omit<Outbox, "messages"> & { readonly messages: readonly Row[] };
  readonly write: (change: OutboxChange) => void;
}

export function createSqliteOutbox({ run, rows }: Sql): SqliteOutbox {
  return { read, write };

  function read(composedAfterUnixMs: number): ReturnType<SqliteOutbox["read"]> {
    return {
      notices: rows("SELECT * FROM notices ORDER BY rowid").map(noticeOf),
      messages: rows(
        "SELECT id, channel, body FROM messages WHERE delivered_unix_ms = 0 ORDER BY unix_ms, id",
      ),
      told: rows("SELECT * FROM told").map(toldOf),
      channels: rows("SELECT * FROM channels").map(channelOf),
      composed: rows(
        "SELECT channel, unix_ms FROM messages WHERE unix_ms > ? ORDER BY unix_ms",
        composedAfterUnixMs,
      ).map((r) => ({ channel: text(r, "channel"), unixMs: number(r, "unix_ms") })),
    };
  }

  function write(change: OutboxChange): void {
    switch (change.record) {
      case "notice": {
        const { id, channel, unixMs, cause, about, severity, text: said } = change.notice;
        return void run(
          "INSERT INTO notices (id, channel, unix_ms, cause, about, severity, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
          id,
          channel,
          unixMs,
          cause,
          about,
          severity,
          said,
        );
      }
      case "notices-withdrawn":
        return change.ids.forEach((id) => void run("DELETE FROM notices WHERE id = ?", id));
      case "message":
        return writeMessage(change);
      case "delivered":
        return void run(
          "UPDATE messages SET delivered_unix_ms = ? WHERE id = ?",
          change.unixMs,
          change.messageId,
        );
      case "channel": {
        const { name, deliveredUnixMs, failingSinceUnixMs, reason, alarmed } = change.channel;
        return void run(
          "INSERT OR REPLACE INTO channels (name, delivered_unix_ms, failing_since_unix_ms, reason, alarmed) VALUES (?, ?, ?, ?, ?)",
          name,
          deliveredUnixMs,
          failingSinceUnixMs,
          reason,
          alarmed ? 1 : 0,
        );
      }
      case "channel-forgotten":
        for (const table of ["notices", "messages", "told"])
          run(`DELETE FROM ${table} WHERE channel = ?`, change.name);
        return void run("DELETE FROM channels WHERE name = ?", change.name);
    }
  }

  function writeMessage(change: Extract<OutboxChange, { record: "message" }>): void {
    const { channel, message } = change.outgoing;
    run(
      "INSERT INTO messages (id, channel, unix_ms, delivered_unix_ms, body) VALUES (?, ?, ?, 0, ?)",
      message.id,
      channel,
      message.unixMs,
      Message.encode(message).finish(),
    );
    for (const id of change.taken) run("DELETE FROM notices WHERE id = ?", id);
    for (const { about, unixMs, thread } of change.told)
      run(
        "INSERT OR REPLACE INTO told (channel, about, unix_ms, thread) VALUES (?, ?, ?, ?)",
        channel,
        about,
        unixMs,
        thread,
      );
    for (const about of change.over) run("DELETE FROM told WHERE channel = ? AND about = ?", channel, about);
  }
}

function noticeOf(r: Row): Notice {
  return {
    id: text(r, "id"),
    channel: text(r, "channel"),
    unixMs: number(r, "unix_ms"),
    cause: text(r, "cause") as NoticeCause,
    about: text(r, "about"),
    severity: text(r, "severity") as Severity,
    text: text(r, "text"),
  };
}

function toldOf(r: Row): Told {
  return {
    channel: text(r, "channel"),
    about: text(r, "about"),
    unixMs: number(r, "unix_ms"),
    thread: text(r, "thread"),
  };
}

function channelOf(r: Row): ChannelRecord {
  return {
    name: text(r, "name"),
    deliveredUnixMs: number(r, "delivered_unix_ms"),
    failingSinceUnixMs: number(r, "failing_since_unix_ms"),
    reason: text(r, "reason"),
    alarmed: number(r, "alarmed") === 1,
  };
}
