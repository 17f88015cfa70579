/**
 * What a source is: where it reads, how often, and for how long at most. Reading and parsing are apart: `read`
 * fetches text from the host and hands it to a pure parser in the same file.
 */
import type { Damaged, Source, SourceReport } from "@vigie/proto";
import type { Host } from "../host.js";

export type Facts = NonNullable<SourceReport["facts"]>;

/** Absent and ok are answers; that it could not be read is a thrown VigieError (SOURCE_FAILED, COMMAND_…). */
export type Reading =
  | { readonly state: "ok"; readonly facts: Facts; readonly damaged: readonly Damaged[] }
  | { readonly state: "absent"; readonly reason: string };

export interface SourceDefinition {
  readonly source: Source;
  readonly periodMs: number;
  readonly deadlineMs: number; // then the reading counts as failed, and is not begun again until it ends
  /** @throws VigieError when it should be readable and is not */
  readonly read: (host: Host) => Promise<Reading>;
}
