/**
 * `lvs`, `vgs`, `pvs`: what lies on which disk. They read the disks themselves and may hang on a dying one, so they
 * run one after the other, twice a minute.
 */
import { Source, type Damaged } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { parseLvmReport, warningLines, type LvmReport } from "./lvm-report.js";
import {
  LV_FIELDS,
  logicalVolumes,
  PV_FIELDS,
  physicalVolumes,
  VG_FIELDS,
  volumeGroups,
} from "./lvm-volumes.js";
import { absentTool, commandFailed, restAfterHang, runToEnd } from "./reading.js";
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

/** Every reading is of one definition, so that a tool that hangs is not started again and again. */
export function lvm(): SourceDefinition {
  return {
    source: Source.LVM,
    periodMs: 30_000,
    deadlineMs: 20_000,
    read: restAfterHang((host) => absentTool(() => read(host), "LVM is not installed")),
  };
}

interface Output extends LvmReport {
  readonly damaged: readonly Damaged[];
}

async function read(host: Host): Promise<Reading> {
  const lvs = await output(host, LVS, "lv");
  const vgs = await output(host, VGS, "vg");
  const pvs = await output(host, PVS, "pv");
  const volumes = logicalVolumes(lvs.rows);
  const groups = volumeGroups(vgs.rows);
  const disks = physicalVolumes(pvs.rows);
  const value = {
    logicalVolumes: volumes.items,
    volumeGroups: groups.items,
    physicalVolumes: disks.items,
    warnings: [...new Set([lvs, vgs, pvs].flatMap(({ warnings }) => warnings))],
  };
  const damaged = [lvs, vgs, pvs, volumes, groups, disks].flatMap((part) => part.damaged);
  return { state: "ok", facts: { $case: "lvm", value }, damaged };
}

async function output(host: Host, command: Command, kind: string): Promise<Output> {
  const outcome = await runToEnd(host, command);
  if (outcome.exitCode !== 0 && outcome.exitCode !== PARTIAL) throw commandFailed(command, outcome);
  const { rows, warnings } = parseLvmReport(outcome.stdout, kind);
  const said = warningLines(outcome.stderr);
  const partial = { line: 0, reason: commandFailed(command, outcome).message, minor: undefined, object: "" };
  return { rows, warnings: [...said, ...warnings], damaged: outcome.exitCode === PARTIAL ? [partial] : [] };
}
