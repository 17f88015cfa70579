/** LUXI's answers: Query of nodes, instances, groups and jobs, and the values of the configuration. */
import { isOpen, type InstanceModel, type JobModel } from "./ganeti-model.js";
import { nodeOf, type World } from "./world.js";

type Row = Readonly<Record<string, unknown>>;
type Filter = readonly unknown[] | null;

export function luxiReply(world: World, request: string): string {
  const { method, args } = JSON.parse(request) as { method: string; args: readonly unknown[] };
  const result =
    method === "Query"
      ? query(world, args[0] as string, args[1] as readonly string[], (args[2] ?? null) as Filter)
      : (args[0] as readonly string[]).map((name) => configValue(world, name));
  return JSON.stringify({ success: true, version: 3_000_000, result });
}

function configValue({ ganeti }: World, name: string): unknown {
  if (name === "drain_flag") return ganeti.queueDrained;
  return ganeti.watcherPausedUntilUnixS === 0 ? null : ganeti.watcherPausedUntilUnixS;
}

function query(world: World, what: string, fields: readonly string[], filter: Filter): object {
  return {
    fields: fields.map((name) => ({ name, title: name, kind: "text", doc: name })),
    data: rows(world, what)
      .filter((row) => fits(row, filter))
      .map((row) => fields.map((field) => cell(row[field]))),
  };
}

/** What has no value yet is unavailable: status 3. */
function cell(value: unknown): readonly [number, unknown] {
  return value === undefined ? [3, null] : [0, value];
}

function rows(world: World, what: string): Row[] {
  switch (what) {
    case "node":
      return [...world.nodes.values()].map(({ name, address, uuid, group, offline, drained, serial }) => ({
        name,
        uuid,
        role: offline ? "O" : drained ? "D" : name === world.master ? "M" : "C",
        offline,
        drained,
        pip: address,
        sip: address,
        group,
        tags: [],
        serial_no: serial,
      }));
    case "instance":
      return world.ganeti.instances.map((instance) => instanceRow(world, instance));
    case "group":
      return [...new Set([...world.nodes.values()].map(({ group }) => group))].map((name) => ({
        name,
        tags: [],
      }));
    case "job":
      return world.ganeti.jobs.map(jobRow);
    default:
      return [];
  }
}

function instanceRow(
  world: World,
  { name, uuid, disks, plain, primary, adminState, serial, tags }: InstanceModel,
): Row {
  const runs = nodeOf(world, primary).guests.has(name);
  const up = runs ? "running" : "ERROR_down";
  return {
    name,
    uuid,
    pnode: primary,
    snodes: (disks[0]?.ends ?? []).map(({ node }) => node).filter((node) => node !== primary),
    admin_state: adminState,
    status: adminState === "up" ? up : runs ? "ERROR_up" : "ADMIN_down",
    disk_template: plain.length > 0 ? "plain" : "drbd",
    tags,
    serial_no: serial,
  };
}

function jobRow(job: JobModel): Row {
  const summary = `${job.opcode}(${job.subject})`;
  const trail = [...job.reasons, ""].map((text) => ["gnt:client", text, job.receivedUnixMs * 1e6]);
  const over = !isOpen(job);
  return {
    id: job.id,
    status: job.status,
    summary: [summary],
    received_ts: timestamp(job.receivedUnixMs),
    start_ts: job.startedUnixMs === 0 ? undefined : timestamp(job.startedUnixMs),
    ops: [{ OP_ID: `OP_${job.opcode}`, instance_name: job.instances[0], reason: trail }],
    opstatus: [job.status],
    opresult: [job.status === "error" ? ["OpExecError", [job.error]] : over ? true : null],
    oplog: [job.log.map(({ unixMs, text }, i) => [i + 1, timestamp(unixMs), "message", text])],
  };
}

function timestamp(unixMs: number): readonly [number, number] {
  return [Math.floor(unixMs / 1000), (unixMs % 1000) * 1000];
}

function fits(row: Row, filter: Filter): boolean {
  if (filter === null) return true;
  const [operator, ...rest] = filter;
  if (operator === "|") return rest.some((each) => fits(row, each as Filter));
  if (operator === "&") return rest.every((each) => fits(row, each as Filter));
  return row[rest[0] as string] === rest[1];
}
