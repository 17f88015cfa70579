/** A process keeps the device open, so it cannot be taken down: "(-12) Device is held open by someone". */
import { diskOf, sideOf, type Trouble } from "./trouble.js";

const UNIT = "lab-held-open";

export const heldOpen: Trouble = {
  name: "held-open",
  about: "a process on one node (the primary) holds the DRBD device open",

  async make(lab, params) {
    const side = sideOf(await diskOf(lab, params), params, "primary");
    const hold = `systemd-run --quiet --unit=${UNIT} bash -c 'exec 3<${side.device}; exec sleep infinity'`;
    const node = lab.node(side.node);
    await node.run(hold);
    const seen = `for i in $(seq 50); do fuser ${side.device} && exit 0; sleep 0.1; done; exit 1`;
    return `${side.device} on ${side.node} is held by process${(await node.run(seen)).stdout}`;
  },

  async mend(lab, params) {
    const side = sideOf(await diskOf(lab, params), params, "primary");
    await lab.node(side.node).run(`systemctl stop ${UNIT}`, { allowFailure: true });
  },
};
