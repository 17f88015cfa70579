/**
 * Whether the audit log is what was written (I39), with work that grows with what is new. A record is hashed once when it
 * is new; how far that is, is on disk, and a restart goes on from there. All of it, archives first, is gone through once a
 * day in the background, and when a person asks: a record may be changed long after it was checked. Whether an archive
 * is missing or cut is looked at each minute, by its size.
 */
import { CHAIN_START, explain, type Clock, type LogEnd } from "@vigie/proto";
import type { AuditFault, Change, Store } from "./store.js";

const PAGE_RECORDS = 500;
const PAGE_EVERY_MS = 20; // of what is new
const WHOLE_PAGE_EVERY_MS = 100; // a million records in four minutes, with a few percent of a core
const ASKED_PAGE_EVERY_MS = 1;
const NEW_EVERY_MS = 1_000;
const SIZES_EVERY_MS = 60_000;
const KEPT_EVERY_MS = 600_000;
const WHOLE_EVERY_MS = 86_400_000;

export interface AuditState {
  /** Nothing was found changed or missing; with `checked` less than `records`, so far. */
  readonly intact: boolean;
  readonly checked: number;
  readonly records: number;
  /** What is wrong, for people; empty where it is intact. */
  readonly faults: readonly string[];
}

export interface Auditor {
  readonly state: () => Promise<AuditState>;
  /** Goes through all of it now, archives too. Who asks meanwhile gets the same answer. */
  readonly verify: () => Promise<AuditState>;
}

export interface AuditorParts {
  readonly store: Pick<Store, "auditEnd" | "auditHash" | "checkAudit" | "auditChecked" | "archiveFaults">;
  readonly clock: Clock;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

const BEGINNING: LogEnd = { records: 0, head: CHAIN_START };

/** Goes on until `signal` aborts. */
export async function startAuditor(parts: AuditorParts, signal: AbortSignal): Promise<Auditor> {
  const { store, clock } = parts;
  const kept = await store.auditChecked();
  let checked = kept.upTo;
  let keptText = JSON.stringify(kept);
  let keptAtMs = clock.monotonicMs();
  let wholeUnixMs = kept.wholeUnixMs;
  let newFaults: readonly AuditFault[] = [];
  let wholeFaults: readonly AuditFault[] = [];
  let sizeFaults: readonly string[] = [];
  let faultAt: LogEnd | undefined; // before the first fault: the next life begins there, and sees it at once
  let failed = "";
  let verifying: Promise<void> | undefined;
  const told = new Set<string>();
  await missEnd();
  void follow();
  void lookAtAll();
  return {
    state: async () => {
      const { records } = await store.auditEnd();
      if (records - checked.records <= PAGE_RECORDS) await checkPage(); // what came within the last second
      return state(records);
    },
    verify: async () => {
      verifying ??= whole(ASKED_PAGE_EVERY_MS).finally(() => (verifying = undefined));
      await verifying;
      await lookAtSizes();
      return state((await store.auditEnd()).records);
    },
  };

  function state(records: number): AuditState {
    const broken = [...newFaults, ...wholeFaults].map(({ text }) => text);
    const faults = [...new Set([...sizeFaults, ...broken, ...(failed === "" ? [] : [failed])])];
    const upTo = Math.min(checked.records, records);
    return { intact: faults.length === 0, checked: upTo, records, faults };
  }

  /** The log ended here when it was checked last: records that were taken off its end are missed. */
  async function missEnd(): Promise<void> {
    if (checked.records === 0) return;
    const is = await store.auditHash(checked.records).catch(() => checked.head); // an archive, which is checked later
    if (is === checked.head) return;
    const detail = { was: checked, is: is ?? "gone" };
    parts.log("audit.lost-records", { ...detail, alarm: true });
    checked = BEGINNING;
    const unixMs = clock.wallUnixMs();
    const audit = { unixMs, actor: "engine", action: "audit.lost-records", subject: "audit", detail };
    parts.record([{ record: "audit", audit }]).catch(() => undefined); // the recorder says by itself that it is broken
  }

  async function follow(): Promise<void> {
    let sizesAtMs = -Infinity;
    while (!signal.aborted) {
      if (clock.monotonicMs() - sizesAtMs >= SIZES_EVERY_MS) {
        sizesAtMs = clock.monotonicMs();
        await lookAtSizes();
      }
      await checkPage();
      const isBehind = newFaults.length === 0 && checked.records < (await store.auditEnd()).records;
      if (!isBehind && clock.monotonicMs() - keptAtMs >= KEPT_EVERY_MS) await keep();
      await clock.sleep(isBehind ? PAGE_EVERY_MS : NEW_EVERY_MS, signal);
    }
  }

  async function checkPage(): Promise<void> {
    try {
      const { upTo, fault } = await store.checkAudit(checked, PAGE_RECORDS);
      failed = "";
      newFaults = newFaults.filter(({ sequence }) => sequence > upTo.records); // it was put back
      checked = upTo;
      if (fault === undefined) return;
      tell(fault.text, fault.sequence);
      faultAt ??= checked;
      newFaults = [...newFaults.filter(({ text }) => text !== fault.text), fault];
      checked = fault.goOnFrom ?? checked;
    } catch (error) {
      failed = explain(error);
      parts.log("audit.unread", { reason: failed, alarm: true });
    }
  }

  async function lookAtAll(): Promise<void> {
    const agoMs = clock.wallUnixMs() - wholeUnixMs;
    const isRecent = agoMs >= 0 && agoMs < WHOLE_EVERY_MS;
    if (isRecent) await clock.sleep(WHOLE_EVERY_MS - agoMs, signal);
    while (!signal.aborted) {
      await whole(WHOLE_PAGE_EVERY_MS);
      await clock.sleep(WHOLE_EVERY_MS, signal);
    }
  }

  /** What an earlier look found stands until this one has been everywhere. */
  async function whole(everyMs: number): Promise<void> {
    const found: AuditFault[] = [];
    let at: LogEnd | undefined = BEGINNING;
    while (at !== undefined && at.records < (await store.auditEnd()).records) {
      if (signal.aborted) return;
      at = await wholePage(at, found);
      await clock.sleep(everyMs, signal);
    }
    wholeFaults = found;
    if (found.length === 0) {
      newFaults = newFaults.filter(({ goOnFrom }) => goOnFrom === undefined);
      faultAt = undefined;
    }
    wholeUnixMs = clock.wallUnixMs();
    await keep();
  }

  /** @returns where it goes on; undefined: nowhere */
  async function wholePage(at: LogEnd, found: AuditFault[]): Promise<LogEnd | undefined> {
    try {
      const { upTo, fault } = await store.checkAudit(at, PAGE_RECORDS);
      if (fault === undefined) return upTo.records > at.records ? upTo : undefined;
      found.push(fault);
      tell(fault.text, fault.sequence);
      faultAt ??= at;
      wholeFaults = [...wholeFaults, fault];
      return fault.goOnFrom;
    } catch (error) {
      const text = explain(error);
      tell(text, at.records + 1);
      found.push({ sequence: at.records + 1, text, goOnFrom: undefined });
      return undefined;
    }
  }

  async function lookAtSizes(): Promise<void> {
    sizeFaults = await store.archiveFaults().catch((error: unknown) => [explain(error)]);
    for (const text of sizeFaults) tell(text, 0);
  }

  function tell(text: string, sequence: number): void {
    if (told.has(text)) return;
    told.add(text);
    parts.log("audit.broken", { ...(sequence === 0 ? {} : { sequence }), fault: text, alarm: true });
  }

  async function keep(): Promise<void> {
    keptAtMs = clock.monotonicMs();
    const now = { upTo: faultAt ?? checked, wholeUnixMs };
    if (JSON.stringify(now) === keptText) return;
    try {
      await parts.record([{ record: "audit-checked", checked: now }]);
      keptText = JSON.stringify(now);
    } catch {
      // it is checked again after a restart
    }
  }
}
