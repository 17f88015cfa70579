/** The table of sources. Adding one is: its file, its test, a line here. */
import { drbdConfig } from "./drbd-config.js";
import { ganeti } from "./ganeti.js";
import { linkCuts } from "./link-cuts.js";
import { procDrbd } from "./proc-drbd.js";
import type { SourceDefinition } from "./source.js";
import { ssconf } from "./ssconf.js";

/** @param options.nodeName this node's, as Ganeti knows it */
export function sourceDefinitions(options: { readonly nodeName: string }): readonly SourceDefinition[] {
  return [procDrbd, drbdConfig, ssconf, linkCuts, ganeti(options.nodeName)];
}
