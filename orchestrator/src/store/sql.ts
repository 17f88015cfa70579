/** Statements of one SQLite database, prepared once, and the columns of their rows. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

export type Row = Readonly<Record<string, SQLInputValue>>;

export interface Sql {
  /** @returns the id of the row that was inserted last */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
  /** @returns how many rows it changed */
  readonly changed: (sql: string, ...values: SQLInputValue[]) => number;
  readonly row: (sql: string, ...values: SQLInputValue[]) => Row | undefined;
  readonly rows: (sql: string, ...values: SQLInputValue[]) => Row[];
}

export function createSql(database: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).lastInsertRowid),
    changed: (sql, ...values) => Number(statement(sql).run(...values).changes),
    row: (sql, ...values) => statement(sql).get(...values),
    rows: (sql, ...values) => statement(sql).all(...values),
  };

  function statement(sql: string): StatementSync {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  }
}

export function blob(row: Row): Uint8Array {
  return row["body"] as Uint8Array;
}

/** Empty where there is no row, or it has none. */
export function text(row: Row | undefined, column: string): string {
  return (row?.[column] as string | null | undefined) ?? "";
}

/** 0 where there is no row, or it has none. */
export function number(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}
