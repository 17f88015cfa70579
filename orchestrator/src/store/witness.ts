/**
 * Each log has a witness elsewhere (I39): a hash chain shows what was changed in its middle, and not that records were
 * taken off its end. The orchestrator keeps where each agent's journal ended, the agents remember where its audit log
 * ended, and each report brings both. A log that is shorter than it was, or another one, is written down: an agent
 * that was installed anew is told so too, and nobody can do it unseen.
 */
import { CHAIN_START, explain, type LogEnd, type Report } from "@vigie/proto";
import type { Change, Store } from "./store.js";

export interface Witness {
  /** What this report says of the two logs that was not known. */
  readonly take: (node: string, report: Report, unixMs: number) => Promise<Change[]>;
}

export async function createWitness(
  store: Pick<Store, "auditHash" | "journals">,
  alarm: (event: string, detail: Record<string, unknown>) => void,
): Promise<Witness> {
  const journals = new Map(await store.journals());
  const audited = new Map<string, LogEnd>(); // by node, what it has seen of the audit log and was looked up

  return {
    take: async (node, report, unixMs) => [
      ...ofJournal(node, report, unixMs),
      ...(await ofAudit(node, report.auditSeen, unixMs)),
    ],
  };

  function ofJournal(node: string, report: Report, unixMs: number): Change[] {
    const { journalRecords: records, journalHead: head } = report;
    const known = journals.get(node);
    if (records === 0 && head !== CHAIN_START) return []; // an agent that does not count
    if (known?.records === records && known.head === head) return [];
    const end = { records, head };
    journals.set(node, end);
    const remember: Change = { record: "journal", node, end };
    if (known === undefined || records > known.records) return [remember];
    return [remember, told("journal.lost-records", node, { was: known, is: end }, unixMs)];
  }

  async function ofAudit(node: string, seen: LogEnd | undefined, unixMs: number): Promise<Change[]> {
    if (seen === undefined || seen.records === 0) return [];
    const before = audited.get(node);
    if (before?.records === seen.records && before.head === seen.head) return [];
    audited.set(node, seen);
    const hash = await store.auditHash(seen.records).catch(explain); // its archive is missing
    return hash === seen.head ? [] : [told("audit.lost-records", node, { seen, is: hash ?? "gone" }, unixMs)];
  }

  function told(action: string, node: string, detail: Record<string, unknown>, unixMs: number): Change {
    alarm(action, { node, ...detail, alarm: true });
    return { record: "audit", audit: { unixMs, actor: "engine", action, subject: node, detail } };
  }
}
