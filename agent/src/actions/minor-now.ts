/** One minor in /proc/drbd, where "there is none" must be told from "nobody can say" (I11). */
import { ConnectionState, Source, SourceState, type DrbdMinor } from "@vigie/proto";
import type { Look } from "./action.js";

export type MinorNow =
  | { readonly is: "gone" } // not listed, or Unconfigured
  | { readonly is: "there"; readonly minor: DrbdMinor }
  | { readonly is: "unknown"; readonly because: string };

export async function minorNow(minor: number, look: Look): Promise<MinorNow> {
  const report = await look.read(Source.PROC_DRBD);
  if (report.state === SourceState.ABSENT) return { is: "gone" }; // the module is not loaded
  if (report.facts?.$case !== "drbd") return { is: "unknown", because: report.reason };
  const found = report.facts.value.minors.find((each) => each.minor === minor);
  if (found?.connection === ConnectionState.UNCONFIGURED) return { is: "gone" };
  if (found !== undefined) return { is: "there", minor: found };
  const damaged = report.damaged.find((each) => each.minor === undefined || each.minor === minor);
  return damaged === undefined ? { is: "gone" } : { is: "unknown", because: `damaged: ${damaged.reason}` };
}
