/** What the benchmark and the process that plays its agents say to each other. */
import type { KeyPair } from "@vigie/orchestrator";

export type ToGenerator =
  | { readonly say: "connect"; readonly port: number; readonly authority: KeyPair }
  | { readonly say: "measure"; readonly seconds: number };

export type FromGenerator =
  | { readonly say: "connected"; readonly seconds: number } // until all had an Ack; their certificates were made before
  | ({ readonly say: "measured" } & AckTimes);

export interface AckTimes {
  readonly reports: number; // that were acknowledged
  readonly unanswered: number; // at the end: more than are on their way means that acknowledgements were lost
  readonly sessionsLost: number; // and dialled again
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
