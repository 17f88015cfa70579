/** A SCSI disk that the kernel has given up, or that somebody set offline: every minor on it loses its copy. */
import { Evidence, IncidentKind, Severity, Source, Subject, type BlockDevice } from "@vigie/proto";
import { factsOf, type NodeView } from "../../view/node-view.js";
import { FRESH_MS } from "../../view/end-view.js";
import type { NodeRule } from "../rule.js";

const GONE = new Set(["offline", "transport-offline", "cancel", "deleted"]);

export const diskOffline: NodeRule = {
  about: "node",
  kind: IncidentKind.DISK_OFFLINE,
  holdDownMs: 0,
  clearMs: 3_000,
  judge: (node, _view, nowMs) => {
    const facts = factsOf(node, Source.BLOCK_DEVICES, "blockDevices");
    const readAtMs = node.sources.get(Source.BLOCK_DEVICES)?.readAtMs ?? 0;
    if (facts === undefined || nowMs - readAtMs > FRESH_MS) return "unknown";
    return facts.devices.filter((device) => GONE.has(device.state)).map((device) => finding(node, device));
  },
};

function finding(node: NodeView, device: BlockDevice) {
  const minors = [...node.minors.keys()].length;
  const identity = [device.model, device.serial && `serial ${device.serial}`, device.wwid].filter(
    (part) => part !== "",
  );
  return {
    key: device.name,
    subject: Subject.create({ node: node.name, device: device.name }),
    summary: `${node.name}: disk ${device.name} is ${device.state}`,
    severity: Severity.CRITICAL,
    evidence: [
      Evidence.create({
        node: node.name,
        text: `${identity.join(", ")}; the node has ${minors} DRBD minors`,
      }),
    ],
  };
}
