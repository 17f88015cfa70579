import pc from "picocolors";
import { HungCommand, NodeStatus } from "@vigie/proto";
import { expect, test } from "vitest";
import { renderNodes } from "./nodes.js";

test("a command that hangs in a node's kernel is told below the table, and the node is not called well", () => {
  const argv = ["/usr/sbin/drbdsetup", "show"];
  const hung = [HungCommand.create({ argv, pid: 812, sinceMs: 95_000, processState: "D" })];
  const text = renderNodes(
    { nodes: [NodeStatus.create({ name: "h2", reporting: true, hung })] },
    { width: 100, colour: pc.createColors(false), now: 0 },
  );
  expect(text).toContain("partly");
  expect(text).toContain("h2: /usr/sbin/drbdsetup show hangs for 1 min 35 s (pid 812, state D)");
});
