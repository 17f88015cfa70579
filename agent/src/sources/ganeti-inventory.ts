/** Nodes, instances and jobs out of LUXI's Query answers. Only configuration fields: live ones wait for dead nodes. */
import {
  VigieError,
  type Damaged,
  type GanetiGroup,
  type GanetiInstance,
  type GanetiNode,
} from "@vigie/proto";
import { asBoolean, asCount, asString, asStrings } from "./json.js";
import { rowsOf, type Cell, type Row } from "./luxi.js";

export const NODE_FIELDS = [
  "name",
  "uuid",
  "role",
  "offline",
  "drained",
  "pip",
  "sip",
  "group",
  "tags",
  "serial_no",
];

export const INSTANCE_FIELDS = [
  "name",
  "uuid",
  "pnode",
  "snodes",
  "admin_state",
  "disk_template",
  "tags",
  "serial_no",
];

export const GROUP_FIELDS = ["name", "tags"];

const ROLES: ReadonlySet<string> = new Set(["M", "C", "R", "D", "O"]);

export interface Parsed<T> {
  readonly items: T[];
  readonly damaged: Damaged[];
}

/** @throws VigieError PARSE_FAILED where the answer as a whole is not one */
export function parseNodes(result: unknown): Parsed<GanetiNode> {
  return parseRows(rowsOf(result, NODE_FIELDS), (row) => ({
    name: asString(normal(row, "name"), "name"),
    uuid: asString(normal(row, "uuid"), "uuid"),
    role: roleOf(row),
    offline: asBoolean(normal(row, "offline"), "offline"),
    drained: asBoolean(normal(row, "drained"), "drained"),
    primaryIp: asString(normal(row, "pip"), "pip"),
    secondaryIp: asString(normal(row, "sip"), "sip"),
    group: asString(normal(row, "group"), "group"),
    tags: asStrings(normal(row, "tags"), "tags"),
    serial: asCount(normal(row, "serial_no"), "serial_no"),
  }));
}

/** Without disks, which LUXI does not tell enough of, and without the live status. */
export function parseInstances(result: unknown): Parsed<GanetiInstance> {
  return parseRows(rowsOf(result, INSTANCE_FIELDS), (row) => ({
    name: asString(normal(row, "name"), "name"),
    uuid: asString(normal(row, "uuid"), "uuid"),
    primaryNode: asString(normal(row, "pnode"), "pnode"),
    secondaryNodes: asStrings(normal(row, "snodes"), "snodes"),
    adminState: asString(normal(row, "admin_state"), "admin_state"),
    status: "",
    diskTemplate: asString(normal(row, "disk_template"), "disk_template"),
    disks: [],
    tags: asStrings(normal(row, "tags"), "tags"),
    serial: asCount(normal(row, "serial_no"), "serial_no"),
  }));
}

/** @throws VigieError PARSE_FAILED where the answer as a whole is not one */
export function parseGroups(result: unknown): Parsed<GanetiGroup> {
  return parseRows(rowsOf(result, GROUP_FIELDS), (row) => ({
    name: asString(normal(row, "name"), "name"),
    tags: asStrings(normal(row, "tags"), "tags"),
  }));
}

/** Each row by itself: one that is not understood is damaged under its name. */
export function parseRows<T>(rows: readonly Row[], parse: (row: Row) => T): Parsed<T> {
  const items: T[] = [];
  const damaged: Damaged[] = [];
  for (const row of rows) {
    try {
      items.push(parse(row));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: 0, reason: error.message, minor: undefined, object: nameOf(row) });
    }
  }
  return { items, damaged };
}

/** @throws VigieError PARSE_FAILED where the field has no value ("no data", "unavailable", …) */
export function normal(row: Row, field: string): unknown {
  const cell: Cell | undefined = row[field];
  if (cell?.status === 0) return cell.value;
  throw new VigieError("PARSE_FAILED", `${field} has no value (status ${cell?.status ?? "missing"})`);
}

function roleOf(row: Row): string {
  const role = asString(normal(row, "role"), "role");
  if (ROLES.has(role)) return role;
  throw new VigieError("PARSE_FAILED", `unknown role ${JSON.stringify(role.slice(0, 20))}`);
}

function nameOf(row: Row): string {
  const name = row["name"]?.value ?? row["id"]?.value;
  return typeof name === "string" || typeof name === "number" ? String(name) : "";
}
