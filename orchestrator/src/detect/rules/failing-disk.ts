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
  Subject,
  type BlockDevice,
  type KernelLogLine,
  type SmartReport,
} from "@vigie/proto";
import { factsOf } from "../../view/node-view.js";
import type { NodeRule } from "../rule.js";

const MANY_ERRORS = 3; // since boot, of those that the agent still holds

export const failingDisk: NodeRule = {
  about: "node",
  kind: IncidentKind.FAILING_DISK,
  holdDownMs: 0,
  clearMs: 10_000,
  judge: (node) => {
    const devices = factsOf(node, Source.BLOCK_DEVICES, "blockDevices")?.devices;
    const lines = factsOf(node, Source.KERNEL_LOG, "kernelLog")?.lines;
    if (devices === undefined || lines === undefined) return "unknown";
    const smart = factsOf(node, Source.SMART, "smart")?.disks ?? [];
    if (smart.length === 0 && !lines.some(({ kind }) => kind === KernelLogKind.IO_ERROR)) return [];
    return devices.filter(isRunningDisk).flatMap((device) => {
      const errors = lines.filter((line) => isErrorOf(line, device));
      const says = smartSays(smart.find((report) => report.device === device.name));
      if (errors.length === 0 && says === "") return [];
      const why = [errors.length > 0 ? `${errors.length} I/O errors in its kernel's log` : "", says];
      return [
        {
          key: device.name,
          subject: Subject.create({ node: node.name, device: device.name }),
          summary: `${node.name}: disk ${device.name} is failing: ${why.filter((part) => part !== "").join("; ")}`,
          severity: errors.length >= MANY_ERRORS || says !== "" ? Severity.CRITICAL : Severity.WARNING,
          evidence: [Evidence.create({ node: node.name, text: describe(device, errors) })],
        },
      ];
    });
  },
};

/** A virtual device has no model and no SCSI address; what is offline is gone already. */
function isRunningDisk({ state, model, scsiAddress }: BlockDevice): boolean {
  return (state === "running" || state === "live") && (model !== "" || scsiAddress !== "");
}

function isErrorOf(
  { kind, device }: KernelLogLine,
  { name, partitions, dev, scsiAddress }: BlockDevice,
): boolean {
  return (
    kind === KernelLogKind.IO_ERROR &&
    [name, ...partitions, dev, scsiAddress].includes(device) &&
    device !== ""
  );
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
