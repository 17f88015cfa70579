/**
 * Ganeti's inventory, on the master only: nodes, instances and unfinished jobs over LUXI, disks from the
 * configuration file. Where the socket does not answer, the gnt-* programs are asked, and `via` tells.
 */
import { createHash } from "node:crypto";
import { explain, Source, VigieError, type Damaged, type GanetiFacts } from "@vigie/proto";
import type { Host } from "../host.js";
import { inventoryReader, type Inventory } from "./ganeti-ask.js";
import { parseConfigData, type GanetiConfig } from "./ganeti-config.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";
import { readMasterNode } from "./ssconf.js";

const FOLDER = "/var/lib/ganeti";

/** @param nodeName this node's, as Ganeti knows it: the source is absent unless the master has this name */
export function ganeti(nodeName: string): SourceDefinition {
  const readConfig = configReader();
  const readInventory = inventoryReader();
  return {
    source: Source.GANETI,
    periodMs: 2_000,
    deadlineMs: 5_000,
    read: (host) => readOrAbsent(() => read(host), "this node is in no Ganeti cluster"),
  };

  async function read(host: Host): Promise<Reading> {
    await host.readFile(`${FOLDER}/ssconf_master_node`); // missing: no node of a cluster
    const master = await readMasterNode(host);
    if (master !== nodeName) return { state: "absent", reason: `the master is ${master}` };
    const [inventory, config] = await Promise.all([readInventory(host), readConfig(host)]);
    return joined(inventory, config);
  }
}

/**
 * An instance whose disks are not known is left out and damaged: without disks it would look diskless. Without the
 * file nothing is known of any, and the reading as a whole has failed: what was known before goes on.
 *
 * @throws VigieError SOURCE_FAILED
 */
function joined({ damaged, ...inventory }: Inventory, config: GanetiConfig | Damaged): Reading {
  if (!("disksOf" in config)) throw new VigieError("SOURCE_FAILED", `${config.object}: ${config.reason}`);
  const withoutDisks = inventory.instances
    .filter(({ name }) => !config.disksOf.has(name))
    .map(({ name }) => ({ line: 0, reason: "its disks are not known", minor: undefined, object: name }));
  const value: GanetiFacts = {
    ...inventory,
    instances: inventory.instances
      .filter(({ name }) => config.disksOf.has(name))
      .map((instance) => ({ ...instance, disks: config.disksOf.get(instance.name) ?? [] })),
    configSerial: config.serial,
    clusterTags: config.clusterTags,
    vgName: config.vgName,
  };
  const said = new Set(config.damaged.map(({ object }) => object));
  const unsaid = withoutDisks.filter(({ object }) => !said.has(object));
  return {
    state: "ok",
    facts: { $case: "ganeti", value },
    damaged: [...damaged, ...config.damaged, ...unsaid],
  };
}

/** The file is read each time, and parsed only when it changed. It is not kept: it holds secrets. */
function configReader(): (host: Host) => Promise<GanetiConfig | Damaged> {
  let digest = "";
  let parsed: GanetiConfig | undefined;
  return async (host) => {
    try {
      const text = await host.readFile(`${FOLDER}/config.data`);
      const newDigest = createHash("sha256").update(text).digest("base64");
      if (parsed === undefined || newDigest !== digest) parsed = parseConfigData(text);
      digest = newDigest;
      return parsed;
    } catch (error) {
      parsed = undefined;
      return { line: 0, reason: explain(error), minor: undefined, object: "config.data" };
    }
  };
}
