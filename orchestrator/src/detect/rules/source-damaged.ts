/**
 * Something was read and not understood, or could not be read. What it is about is unknown, and nothing automatic
 * happens there until it is understood again (I11).
 */
import { Evidence, IncidentKind, Severity, SourceState, Subject } from "@vigie/proto";
import type { SourceView } from "../../view/node-view.js";
import type { NodeRule } from "../rule.js";

export const sourceDamaged: NodeRule = {
  about: "node",
  kind: IncidentKind.SOURCE_DAMAGED,
  holdDownMs: 2_500, // a file read while it changes may be torn once
  clearMs: 3_000,
  judge: (node) => {
    if (node.sources.size === 0) return "unknown";
    return [...node.sources]
      .filter(([, view]) => isDamaged(view))
      .map(([source, { report }]) => {
        const name = source.replace("SOURCE_", "").toLowerCase().replaceAll("_", "-");
        const [first] = report.damaged;
        const what = first === undefined ? report.reason : `line ${first.line}: ${first.reason}`;
        return {
          key: name,
          subject: Subject.create({
            node: node.name,
            source,
            minor: first?.minor,
            device: first?.object ?? "",
          }),
          summary: `${node.name}: ${name} ${first === undefined ? "cannot be read" : "is not understood"}: ${what}`,
          severity: Severity.WARNING,
          evidence: report.damaged.map((d) =>
            Evidence.create({ node: node.name, text: `line ${d.line}: ${d.reason}` }),
          ),
        };
      });
  },
};

function isDamaged({ report }: SourceView): boolean {
  return report.damaged.length > 0 || report.state === SourceState.FAILED;
}
