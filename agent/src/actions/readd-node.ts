/** A node that was away comes back: keys, certificates and configuration anew, and its flags cleared. */
import { Source, type ReaddNode } from "@vigie/proto";
import { checkHostName } from "../argument-types.js";
import { judgeReadd } from "../guards/readd-node.js";
import { MASTER, type ActionDefinition, type Look } from "./action.js";
import { readd } from "./ganeti-commands.js";

export const readdNode: ActionDefinition<ReaddNode> = {
  name: "readdNode",
  about: () => MASTER,
  check: ({ node }) => checkHostName(node, "node"),
  locks: ({ node }) => [`node ${node}`],
  factsMaxAgeMs: 10_000, // Ganeti's inventory
  guard: async ({ node }, look) => judgeReadd(node, look.nodeName, await nodeNow(node, look)),
  holds: () => Promise.resolve<false>(false), // that it is not offline does not say that its keys are right
  identity: () => Promise.resolve([]),
  steps: ({ node }) => [{ run: readd(node) }],
  verify: async ({ node }, look) => {
    const now = await nodeNow(node, look);
    if (typeof now === "string") return { done: "unknown", message: now };
    if (now === undefined) return { done: false, message: `Ganeti knows no node ${node}` };
    return {
      done: !now.offline && !now.drained,
      message: `${node} is ${now.offline ? "offline" : now.drained ? "drained" : `of role ${now.role}`}`,
    };
  },
};

/** A text: nobody can say; undefined: Ganeti has no such node. */
async function nodeNow(name: string, look: Look) {
  const { facts, reason } = await look.read(Source.GANETI);
  if (facts?.$case !== "ganeti") return `Ganeti: ${reason}`;
  return facts.value.nodes.find((node) => node.name === name);
}
