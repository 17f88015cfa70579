/** Asking Ganeti: over LUXI, or where its socket does not answer with the gnt-* programs. */
import { explain, VigieError, type Damaged, type GanetiFacts } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import {
  GROUP_FIELDS,
  INSTANCE_FIELDS,
  NODE_FIELDS,
  parseGroups,
  parseInstances,
  parseNodes,
} from "./ganeti-inventory.js";
import { JOB_FIELDS, OPEN_JOBS, parseJobs } from "./ganeti-jobs.js";
import { statusReader, type Statuses } from "./ganeti-status.js";
import {
  LIST_INSTANCES,
  LIST_JOBS,
  LIST_NODES,
  parseInstanceList,
  parseJobList,
  parseNodeList,
} from "./gnt-list.js";
import { asArray } from "./json.js";
import { createLuxi, type Luxi } from "./luxi.js";
import { isMissing, runForOutput } from "./reading.js";

const FOLDER = "/var/lib/ganeti";
const LISTS_KEPT_MS = 20_000; // three Python programs every two seconds would take a whole core

/** What LUXI or the lists say; disks come from the configuration file. */
export type Inventory = Omit<GanetiFacts, "configSerial" | "clusterTags" | "vgName"> & {
  readonly damaged: readonly Damaged[];
};

/** It remembers the server's version, the live status, and for a while what the lists said. */
export function inventoryReader(): (host: Host) => Promise<Inventory> {
  let luxi: { readonly host: Host; readonly luxi: Luxi } | undefined;
  const readStatuses = statusReader();
  let lists: { readonly atMs: number; readonly answer: Promise<Inventory> } | undefined;
  return async (host) => {
    if (luxi?.host !== host) luxi = { host, luxi: createLuxi(host, await releaseVersion(host)) };
    try {
      const { luxi: asked } = luxi;
      return await overLuxi(asked, (serials) => readStatuses(asked, host.monotonicMs(), serials));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      luxi = undefined; // an upgrade may have changed the version
      if (lists === undefined || host.monotonicMs() - lists.atMs > LISTS_KEPT_MS) {
        lists = { atMs: host.monotonicMs(), answer: overLists(host, error) };
      }
      return await lists.answer;
    }
  };
}

async function releaseVersion(host: Host): Promise<string> {
  return host.readFile(`${FOLDER}/ssconf_release_version`).catch(() => "3.0.0"); // the server will say its own
}

async function overLuxi(luxi: Luxi, statusesOf: (serials: string) => Statuses): Promise<Inventory> {
  const [nodes, instances, jobs, groups, values] = await Promise.all([
    luxi.call("Query", ["node", NODE_FIELDS, null]).then(parseNodes),
    luxi.call("Query", ["instance", INSTANCE_FIELDS, null]).then(parseInstances),
    luxi.call("Query", ["job", JOB_FIELDS, OPEN_JOBS]).then(parseJobs),
    luxi.call("Query", ["group", GROUP_FIELDS, null]).then(parseGroups),
    luxi.call("QueryConfigValues", [["drain_flag", "watcher_pause"]]),
  ]);
  const [drained, pausedUntil] = asArray(values, "the configuration values");
  const statuses = statusesOf(instances.items.map(({ name, serial }) => `${name} ${serial}`).join());
  return {
    nodes: nodes.items,
    instances: instances.items.map((each) => ({ ...each, status: statuses.get(each.name) ?? "" })),
    jobs: jobs.items,
    groups: groups.items,
    via: "luxi",
    queueDrained: drained === true,
    watcherPausedUntilUnixS: typeof pausedUntil === "number" && pausedUntil > 0 ? Math.trunc(pausedUntil) : 0,
    damaged: [...nodes.damaged, ...instances.damaged, ...jobs.damaged, ...groups.damaged],
  };
}

/** @throws VigieError SOURCE_FAILED with LUXI's trouble as its cause where the programs fail too */
async function overLists(host: Host, luxiTrouble: VigieError): Promise<Inventory> {
  const output = (command: Command): Promise<string> =>
    runForOutput(host, command).catch((error: unknown) => {
      throw new VigieError("SOURCE_FAILED", `neither LUXI nor ${explain(error)}`, { cause: luxiTrouble });
    });
  const [nodes, instances, jobs] = await Promise.all([
    output(LIST_NODES).then(parseNodeList),
    output(LIST_INSTANCES).then(parseInstanceList),
    output(LIST_JOBS).then(parseJobList),
  ]);
  return {
    nodes: nodes.items,
    instances: instances.items,
    jobs: jobs.items,
    groups: [],
    via: "gnt-list",
    queueDrained: (await textOrNothing(host, `${FOLDER}/queue/drain`)) !== undefined,
    watcherPausedUntilUnixS: secondsOf(await textOrNothing(host, `${FOLDER}/watcher.pause`)),
    damaged: [...nodes.damaged, ...instances.damaged, ...jobs.damaged],
  };
}

async function textOrNothing(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** "1795368038.25\n" */
function secondsOf(text: string | undefined): number {
  const seconds = Number.parseFloat(text ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? Math.trunc(seconds) : 0;
}
