/** The whole audit log at once, for tests. */
import { CHAIN_START, type LogEnd } from "@vigie/proto";
import type { Store } from "../store.js";

/** @returns the sequence of the first record that is not what was written; undefined: all hold */
export async function firstBrokenAudit(store: Pick<Store, "checkAudit">): Promise<number | undefined> {
  let from: LogEnd = { records: 0, head: CHAIN_START };
  for (;;) {
    const { upTo, fault } = await store.checkAudit(from, 500);
    if (fault !== undefined || upTo.records === from.records) return fault?.sequence;
    from = upTo;
  }
}
