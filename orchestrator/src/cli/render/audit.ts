/** `vigie audit`: who did what to what. The server checks the hash chain; its verdict stands below the rows. */
import type { AuditArchive, AuditRecord, VerifyAuditResponse } from "@vigie/proto";
import { dateTime } from "../../wording/format.js";
import { yesPaint } from "./paints.js";
import type { Screen } from "./screen.js";
import { table, type Column } from "./table.js";

export interface AuditView {
  readonly records: readonly AuditRecord[];
  readonly auditIntact: boolean;
  readonly auditHead: string;
  readonly auditRecords: number;
  readonly auditChecked: number;
  readonly auditFaults: readonly string[];
}

export function renderAudit(view: AuditView, screen: Screen): string {
  const columns: Column<AuditRecord>[] = [
    { heading: "#", cell: (it) => String(it.sequence), right: true },
    { heading: "TIME", cell: (it) => dateTime(it.unixMs, screen.timeZone) },
    { heading: "WHO", cell: (it) => it.actor },
    { heading: "ACTION", cell: (it) => it.action },
    { heading: "SUBJECT", cell: (it) => it.subject, cut: 2 },
    { heading: "DETAIL", cell: (it) => it.detailJson, cut: 1 },
    { heading: "HASH", cell: (it) => it.hash.slice(0, 12), leaveOut: 1 },
  ];
  const rows = view.records.length === 0 ? ["No records."] : table(columns, view.records, screen);
  const verdict = view.auditIntact
    ? `The hash chain is intact${checkedText(view)}`
    : `THE HASH CHAIN IS BROKEN: ${faultText(view)}`;
  const head = view.auditHead === "" ? "" : `, head ${view.auditHead.slice(0, 12)}`;
  return `${[...rows, yesPaint(view.auditIntact, screen)(`${verdict}${head}`)].join("\n")}\n`;
}

/** The first of what is wrong; `vigie audit verify` says all of it. */
export function faultText({ auditFaults }: Pick<AuditView, "auditFaults">): string {
  const [first = "a record was changed or removed", ...more] = auditFaults;
  return more.length === 0 ? first : `${first} (and ${more.length} more: vigie audit verify)`;
}

export function renderVerified(verified: VerifyAuditResponse, screen: Screen): string {
  const { intact, faults, records, archives, folder, head } = verified;
  const columns: Column<AuditArchive>[] = [
    { heading: "ARCHIVE", cell: (it) => it.name },
    { heading: "FROM", cell: (it) => String(it.firstSequence), right: true },
    { heading: "TO", cell: (it) => String(it.lastSequence), right: true },
    { heading: "BYTES", cell: (it) => String(it.bytes), right: true },
  ];
  const rows = archives.length === 0 ? [] : [...table(columns, archives, screen), `in ${folder}`, ""];
  const verdict = intact
    ? `Intact: all ${records} records hold, from the first archive to the store's newest, ${head.slice(0, 12)}`
    : "BROKEN: the audit log is not what was written";
  const paint = yesPaint(intact, screen);
  return `${[...rows, ...faults.map((it) => `- ${it}`), paint(verdict)].join("\n")}\n`;
}

/** Empty where all are checked. */
export function checkedText({
  auditRecords,
  auditChecked,
}: Pick<AuditView, "auditRecords" | "auditChecked">): string {
  return auditChecked < auditRecords
    ? ` as far as it is checked, ${auditChecked} of ${auditRecords} records`
    : "";
}
