/** The table of sources. Adding one is: its file, its test, a line here. */
import { drbdConfig } from "./drbd-config.js";
import { linkCuts } from "./link-cuts.js";
import { procDrbd } from "./proc-drbd.js";
import type { SourceDefinition } from "./source.js";
import { ssconf } from "./ssconf.js";

export function sourceDefinitions(_options: { readonly nodeName: string }): readonly SourceDefinition[] {
  return [procDrbd, drbdConfig, ssconf, linkCuts];
}
