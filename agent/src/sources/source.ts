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

/** What an on-demand source is asked about; each looks at its own field. */
export interface Asked {
  readonly minor: number; // of /dev/drbdN
  readonly jobId: number; // Ganeti's
}

export interface SourceDefinition {
  readonly source: Source;
  /** Undefined: read only when asked for. */
  readonly periodMs: number | undefined;
  /** Of one that is read only when asked for: what it is asked about. */
  readonly about?: keyof Asked;
  readonly deadlineMs: number; // then the reading counts as failed, and is not begun again until it ends
  /** @throws VigieError when it should be readable and is not */
  readonly read: (host: Host, asked?: Asked) => Promise<Reading>;
}

/** For who asks about nothing in particular. */
export const NOTHING_ASKED: Asked = { minor: 0, jobId: 0 };
