/** ipset and iptables of one node: the cuts, and rules that are made anew each time they are asked for. */
import type { CommandOutcome } from "@vigie/agent";
import type { NodeModel } from "./node-model.js";
import { outcome } from "./outcome.js";
import type { World } from "./world.js";

export function iptables(args: readonly string[]): CommandOutcome {
  return outcome(args.includes("-C") || args.includes("-S") ? 1 : 0);
}

export function ipset({ clock }: World, node: NodeModel, args: readonly string[]): CommandOutcome {
  const [verb = "", set = "", entry = ""] = args;
  const after = (option: string): string => args[args.indexOf(option) + 1] ?? "";
  if (set === "vigie-cut6" && verb === "list")
    return outcome(1, "", "ipset: The set with the given name does not exist\n");
  switch (verb) {
    case "add":
      node.cuts.set(entry, {
        expiresAtMs: clock.monotonicMs() + Number(after("timeout")) * 1000,
        runId: after("comment"),
      });
      return outcome(0);
    case "del":
      node.cuts.delete(entry);
      return outcome(0);
    case "flush":
      node.cuts.clear();
      return outcome(0);
    case "list":
      return outcome(
        0,
        [...node.cuts]
          .map(
            ([each, { expiresAtMs, runId }]) =>
              `add ${set} ${each} timeout ${Math.ceil((expiresAtMs - clock.monotonicMs()) / 1000)} comment "${runId}"\n`,
          )
          .join(""),
      );
    default:
      return outcome(0);
  }
}
