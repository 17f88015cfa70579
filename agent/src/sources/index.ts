/** The table of sources. Adding one is: its file, its test, a line here. */
import { blockDevices } from "./block-devices.js";
import { deviceMapper } from "./device-mapper.js";
import { drbdConfig } from "./drbd-config.js";
import { drbdGenerations } from "./drbd-generations.js";
import { ganetiJob } from "./ganeti-job.js";
import { ganeti } from "./ganeti.js";
import { guests } from "./guests.js";
import { holders } from "./holders.js";
import { kernelLogSource } from "./kernel-log.js";
import { linkCuts } from "./link-cuts.js";
import { lvm } from "./lvm.js";
import { mounts } from "./mounts.js";
import { nodeHealth } from "./node-health.js";
import { procDrbd } from "./proc-drbd.js";
import { smart } from "./smart.js";
import type { SourceDefinition } from "./source.js";
import { ssconf } from "./ssconf.js";

/**
 * One definition a source; those that remember something are made anew by every call.
 * @param options.nodeName this node's, as Ganeti knows it
 */
export function sourceDefinitions(options: { readonly nodeName: string }): readonly SourceDefinition[] {
  return [
    procDrbd(),
    drbdConfig(),
    lvm(),
    blockDevices(),
    deviceMapper(),
    mounts,
    kernelLogSource(),
    ssconf,
    ganeti(options.nodeName),
    linkCuts(),
    guests,
    smart(),
    nodeHealth(options.nodeName),
    ganetiJob(options.nodeName),
    holders,
    drbdGenerations,
  ];
}
