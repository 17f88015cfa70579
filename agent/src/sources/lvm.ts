/**
 * `lvs`, `vgs`, `pvs`: what lies on which disk. They read the disks themselves and may hang on a dying one, so they
 * run one after the other, twice a minute.
 */
import {
  Source,
  type Damaged,
  type LogicalVolume,
  type PhysicalVolume,
  type VolumeGroup,
} from "@vigie/proto";
import type { Command, Host } from "../host.js";
import type { JsonObject } from "./json.js";
import { parseLvmReport, warningLines } from "./lvm-report.js";
import {
  LV_FIELDS,
  logicalVolumes,
  PV_FIELDS,
  physicalVolumes,
  VG_FIELDS,
  volumeGroups,
  type Volumes,
} from "./lvm-volumes.js";
import { absentTool, commandFailed, parsedOnce, runToEnd } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const TIMEOUT_MS = 6_000;
const PARTIAL = 5; // the exit code of every LVM tool for "not all of it": what is missing then is unknown, not gone

const LVS = report("lvs", LV_FIELDS, ["-a"]);
const VGS = report("vgs", VG_FIELDS, []);
const PVS = report("pvs", PV_FIELDS, []);

function report(tool: string, fields: string, more: readonly string[]): Command {
  const args = [...more, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields];
  return { file: `/usr/sbin/${tool}`, args, timeoutMs: TIMEOUT_MS };
}

export function lvm(): SourceDefinition {
  const parsers = {
    lvs: reportParser("lv", logicalVolumes),
    vgs: reportParser("vg", volumeGroups),
    pvs: reportParser("pv", physicalVolumes),
  };
  return {
    source: Source.LVM,
    periodMs: 30_000,
    deadlineMs: 20_000,
    read: (host) => absentTool(() => read(host, parsers), "LVM is not installed"),
  };
}

/** What a tool's standard output says. */
interface Report<T> {
  readonly volumes: Volumes<T>;
  readonly warnings: readonly string[];
}

type Parser<T> = (stdout: string) => Report<T>;

function reportParser<T>(kind: string, volumesOf: (rows: readonly JsonObject[]) => Volumes<T>): Parser<T> {
  return parsedOnce((stdout: string) => {
    const { rows, warnings } = parseLvmReport(stdout, kind);
    return { volumes: volumesOf(rows), warnings };
  });
}

interface Parsers {
  readonly lvs: Parser<LogicalVolume>;
  readonly vgs: Parser<VolumeGroup>;
  readonly pvs: Parser<PhysicalVolume>;
}

async function read(host: Host, parsers: Parsers): Promise<Reading> {
  const lvs = await output(host, LVS, parsers.lvs);
  const vgs = await output(host, VGS, parsers.vgs);
  const pvs = await output(host, PVS, parsers.pvs);
  const all = [lvs, vgs, pvs];
  const value = {
    logicalVolumes: lvs.volumes.items,
    volumeGroups: vgs.volumes.items,
    physicalVolumes: pvs.volumes.items,
    warnings: [...new Set(all.flatMap(({ warnings }) => warnings))],
  };
  const damaged = [
    ...all.flatMap(({ partial }) => partial),
    ...all.flatMap(({ volumes }) => volumes.damaged),
  ];
  return { state: "ok", facts: { $case: "lvm", value }, damaged };
}

async function output<T>(
  host: Host,
  command: Command,
  parse: Parser<T>,
): Promise<Report<T> & { readonly partial: readonly Damaged[] }> {
  const outcome = await runToEnd(host, command);
  if (outcome.exitCode !== 0 && outcome.exitCode !== PARTIAL) throw commandFailed(command, outcome);
  const { volumes, warnings } = parse(outcome.stdout);
  const said = warningLines(outcome.stderr);
  const reason = commandFailed(command, outcome).message;
  const partial = outcome.exitCode === PARTIAL ? [{ line: 0, reason, minor: undefined, object: "" }] : [];
  return { volumes, warnings: [...said, ...warnings], partial };
}
