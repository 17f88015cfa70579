/** One of Ganeti's daemons is not there. */
import type { Trouble, TroubleParams } from "./trouble.js";

export const ganetiDown: Trouble = {
  name: "ganeti-down",
  about: "a Ganeti daemon (noded) is stopped on a node (h3)",

  async make(lab, params) {
    const daemon = daemonOf(params);
    await lab.node(params.node ?? "h3").run(`/usr/lib/ganeti/daemon-util stop ${daemon}`);
    return `${daemon} is stopped on ${params.node ?? "h3"}`;
  },

  async mend(lab, params) {
    const daemon = daemonOf(params);
    const command = `/usr/lib/ganeti/daemon-util check ${daemon} || /usr/lib/ganeti/daemon-util start ${daemon}`;
    await lab.node(params.node ?? "h3").run(command);
  },
};

function daemonOf(params: TroubleParams): string {
  return `ganeti-${params.daemon ?? "noded"}`;
}
