/** A node of a release: its user-mode kernel with DRBD, LVM, SCSI disks and systemd, and the agent's Host on it. */
import type { Command, CommandOutcome } from "../../../agent/src/host.js";
import { bringUpBareNode, takeDown, type LabNode, type Suite } from "../../lab/index.js";
import { bundleServer, connectHost, type RemoteHost } from "./remote-host.js";

const SERVER = "/run/serve-host.cjs";

export interface ReleaseNode extends RemoteHost {
  readonly node: LabNode;
  /** Runs what must end well. */
  readonly done: (command: Command) => Promise<CommandOutcome>;
}

export async function openReleaseNode(suite: Suite): Promise<ReleaseNode> {
  const node = await bringUpBareNode(console.log, suite);
  await node.write(SERVER, await bundleServer());
  const remote = connectHost(node.argvOf(`/usr/lib/vigie/node ${SERVER}`));
  return {
    ...remote,
    node,
    done: async (command) => {
      const outcome = await remote.host.run(command);
      if (outcome.end === "exited" && outcome.exitCode === 0) return outcome;
      throw new Error(`${command.file} ${command.args.join(" ")}: ${JSON.stringify(outcome)}`);
    },
    end: async () => {
      await remote.end();
      await takeDown();
    },
  };
}
