/** Partition maps of a guest's disk that nobody uses: they keep its minor open, and its instance from starting elsewhere. */
import { Evidence, IncidentKind, Severity, Source, Subject } from "@vigie/proto";
import { freshFacts } from "../../view/fresh-facts.js";
import type { NodeRule } from "../rule.js";

const DRBD_MAJOR = "147:"; // Documentation/admin-guide/devices.txt

export const leftoverKpartx: NodeRule = {
  about: "node",
  kind: IncidentKind.LEFTOVER_KPARTX,
  holdDownMs: 300_000, // between kpartx -a and mount a person may think
  clearMs: 3_000,
  judge: (node, view, nowMs) => {
    const devices = freshFacts(node, Source.DEVICE_MAPPER, "deviceMapper", nowMs).facts?.devices;
    if (devices === undefined) return "unknown";
    const maps = devices.filter(({ kpartxOf }) => kpartxOf.startsWith(DRBD_MAJOR));
    const byMinor = Map.groupBy(maps, ({ kpartxOf }) => Number(kpartxOf.slice(DRBD_MAJOR.length)));
    return [...byMinor]
      .filter(([, of]) => of.every(({ openCount }) => openCount === 0))
      .map(([minor, of]) => {
        const resource = (view.resourcesByNode.get(node.name) ?? []).find((r) =>
          r.ends.some((end) => end.node === node.name && end.minor === minor),
        );
        const { instance = "", diskIndex = 0 } = resource ?? {};
        const names = of.map(({ name }) => name).join(", ");
        return {
          key: String(minor),
          subject: Subject.create({
            node: node.name,
            minor,
            ...(instance === "" ? {} : { instance, diskIndex }),
          }),
          summary: `${node.name}: partitions of /dev/drbd${minor} are mapped and nobody uses them (${names})`,
          severity: Severity.WARNING,
          evidence: [Evidence.create({ node: node.name, text: names })],
        };
      });
  },
};
