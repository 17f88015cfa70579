import {
  BlockDevice,
  DrbdEnd,
  KernelLogFacts,
  KernelLogKind,
  LvmFacts,
  Observed,
  Source,
  type SourceReport,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { cluster, ok } from "../view/testing.js";
import { peerReport } from "./action-facts.js";

const END = DrbdEnd.create({ node: "h1", peerNode: "h2", dataLv: "vg/a" });
const DISKS = [
  BlockDevice.create({ name: "sdc", wwid: "naa.A" }),
  BlockDevice.create({ name: "sdd", wwid: "naa.B" }),
];
const volume = { vgName: "vg", lvName: "a", segments: [{ type: "linear", devices: ["/dev/sdc1(0)"] }] };
const LISTS: SourceReport[] = [
  ok(Source.BLOCK_DEVICES, { $case: "blockDevices", value: { devices: DISKS } }),
  ok(Source.LVM, { $case: "lvm", value: LvmFacts.fromPartial({ logicalVolumes: [volume] }) }),
];

function errorsBy(...sources: SourceReport[]): [number, string] {
  const observed = { observed: Observed.create({}), askedAtMs: 0 };
  const report = peerReport(END, observed, cluster({ h1: {}, h2: { sources } }), 0, 0);
  return [report.diskErrors, report.diskErrorsUnknown];
}

function log(value: Parameters<typeof KernelLogFacts.fromPartial>[0]): SourceReport {
  return ok(Source.KERNEL_LOG, { $case: "kernelLog", value: KernelLogFacts.fromPartial(value) });
}

describe("the peer's disk has errors", () => {
  test("that it had under another name, and of which no line is left", () => {
    expect(errorsBy(...LISTS, log({ diskErrors: [{ wwid: "naa.A", name: "sda", count: 3 }] }))).toEqual([
      3,
      "",
    ]);
    expect(errorsBy(...LISTS, log({ diskErrors: [{ wwid: "naa.B", name: "sdc", count: 3 }] }))).toEqual([
      0,
      "",
    ]);
    expect(errorsBy(...LISTS, log({ diskErrors: [{ wwid: "", name: "sdc", count: 3 }] }))).toEqual([3, ""]);
  });

  test("by a line of its own, and by any disk's where it is not known which it is", () => {
    const lines = [{ kind: KernelLogKind.IO_ERROR, device: "sdc1" }];
    expect(errorsBy(...LISTS, log({ lines }))).toEqual([1, ""]);
    expect(errorsBy(log({ diskErrors: [{ wwid: "naa.B", name: "sdd", count: 2 }] }))).toEqual([2, ""]);
  });

  test("or not, which is not known while its node's log cannot be read (I11)", () => {
    expect(errorsBy(...LISTS)).toEqual([0, "the kernel's log of h2 cannot be read"]);
  });
});
