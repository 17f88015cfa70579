/** Notes on a node when a minor's counters last moved, ten times as often as the agent looks. */
import type { LabNode } from "../../lab/index.js";

const MARK = "/run/vigie-bench-watch";
const MOVES = "/run/vigie-bench-moves";

const WATCH = `
touch ${MARK}
setsid bash -c '
  before=
  while [ -e ${MARK} ]; do
    now=$(awk -v minor="$0:" "/^ *[0-9]+: /{show = (\\$1 == minor)} show" /proc/drbd | grep -oE "(ns|nr|dw|oos):[0-9]+" | tr "\\n" " ")
    [ "$now" = "$before" ] || date +%s%3N
    before=$now
    sleep 0.1
  done
' "$1" > ${MOVES} 2>/dev/null < /dev/null &
`;

export interface ProgressWatch {
  /** Unix ms by the node's clock, of each tenth of a second in which something moved. */
  readonly end: () => Promise<readonly number[]>;
}

export async function watchProgress(node: LabNode, minor: number): Promise<ProgressWatch> {
  await node.script(WATCH, [String(minor)]);
  return {
    end: async () => {
      const { stdout } = await node.run(`rm -f ${MARK}; cat ${MOVES}`);
      return stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(Number);
    },
  };
}
