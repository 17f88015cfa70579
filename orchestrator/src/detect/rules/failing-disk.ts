/**
 * A disk that still runs and will not for long: its node's kernel logs I/O errors of it, or SMART says so. One error is
 * told; from three on, or with SMART's word, it is critical. A disk that is offline already has a rule of its own.
 */
import {
  Evidence,
  IncidentKind,
  KernelLogKind,
  Severity,
  Source,
  SourceState,
  Subject,
  type BlockDevice,
  type DiskErrors,
  type KernelLogLine,
  type SmartReport,
} from "@vigie/proto";
import { freshFacts } from "../../view/fresh-facts.js";
import { factsOf, type NodeView } from "../../view/node-view.js";
import type { NodeRule } from "../rule.js";

const MANY_ERRORS = 3; // since boot

export const failingDisk: NodeRule = {
  about: "node",
  kind: IncidentKind.FAILING_DISK,
  holdDownMs: 0,
  clearMs: 10_000,
  judge: (node, _view, nowMs) => {
    const devices = freshFacts(node, Source.BLOCK_DEVICES, "blockDevices", nowMs).facts?.devices;
    const log = factsOf(node, Source.KERNEL_LOG, "kernelLog");
    if (devices === undefined || log === undefined) return "unknown";
    const { lines, diskErrors } = log;
    const smart = factsOf(node, Source.SMART, "smart")?.disks ?? [];
    const unknown = smartUnknown(node);
    const isClean = diskErrors.length === 0 && !lines.some(({ kind }) => kind === KernelLogKind.IO_ERROR);
    if (smart.length === 0 && isClean) return { found: [], unknown };
    const found = devices.filter(isRunningDisk).flatMap((device) => {
      const history = diskErrors.find((each) => isHistoryOf(each, device));
      const told = lines.filter((line) => isErrorOf(line, device));
      const errors = told.length === 0 && history?.last !== undefined ? [history.last] : told;
      const count = Math.max(told.length, history?.count ?? 0);
      const says = smartSays(smart.find((report) => report.device === device.name));
      if (count === 0 && says === "") return [];
      const why = [count > 0 ? `${count} I/O error${count === 1 ? "" : "s"} in its kernel's log` : "", says];
      return [
        {
          key: device.name,
          subject: Subject.create({ node: node.name, device: device.name }),
          summary: `${node.name}: disk ${device.name} is failing: ${why.filter((part) => part !== "").join("; ")}`,
          severity: count >= MANY_ERRORS || says !== "" ? Severity.CRITICAL : Severity.WARNING,
          evidence: [Evidence.create({ node: node.name, text: describe(device, errors) })],
        },
      ];
    });
    return { found, unknown };
  },
};

/** That SMART could not be asked clears no disk (I11); where there is no SMART, it has nothing to say. */
function smartUnknown({ sources }: NodeView): ReadonlySet<string> | "rest" {
  const report = sources.get(Source.SMART)?.report;
  if (report?.state === SourceState.ABSENT) return new Set();
  if (report?.state !== SourceState.OK) return "rest";
  return new Set(report.damaged.map(({ object }) => object));
}

/**
 * A virtual device has no model and no SCSI address; what is offline is gone already; an optical drive or a card reader
 * holds no copy.
 */
function isRunningDisk({ state, model, scsiAddress, removable, name }: BlockDevice): boolean {
  if (removable || /^sr\d/.test(name)) return false;
  return (state === "running" || state === "live") && (model !== "" || scsiAddress !== "");
}

/** A disk that was gone and came back has its own, whatever its name is now. */
function isHistoryOf({ wwid, name }: DiskErrors, device: BlockDevice): boolean {
  return wwid === "" ? name === device.name : wwid === device.wwid;
}

function isErrorOf(
  { kind, device }: KernelLogLine,
  { name, partitions, dev, scsiAddress }: BlockDevice,
): boolean {
  if (kind !== KernelLogKind.IO_ERROR || device === "") return false;
  const ofController = /^nvme\d+$/.test(device) && name.startsWith(`${device}n`);
  return ofController || [name, ...partitions, dev, scsiAddress].includes(device);
}

function smartSays(report: SmartReport | undefined): string {
  if (report === undefined) return "";
  if (report.passed === false) return "SMART says that it fails";
  const { pendingSectors = 0, uncorrectable = 0 } = report;
  if (pendingSectors > 0) return `${pendingSectors} sectors cannot be read (SMART)`;
  return uncorrectable > 0 ? `${uncorrectable} uncorrectable errors (SMART)` : "";
}

function describe({ model, serial, wwid }: BlockDevice, errors: readonly KernelLogLine[]): string {
  const identity = [model, serial && `serial ${serial}`, wwid].filter((part) => part !== "").join(", ");
  const last = errors.at(-1)?.text ?? "";
  return last === "" ? identity : `${identity}; last: ${last}`;
}
