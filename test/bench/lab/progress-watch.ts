/**
 * Notes on a node when a minor's figures last moved, ten times as often as the agent looks. Progress is what the
 * agent calls so: what passes the wire and the disks, and what is under way (agent/src/stillness.ts).
 */
import type { LabNode } from "../../lab/index.js";

const MARK = "/run/vigie-bench-watch";
const MOVES = "/run/vigie-bench-moves";

const WATCH = `
touch ${MARK}
setsid bash -c '
  before=
  while [ -e ${MARK} ]; do
    now=$(awk -v minor="$0:" "/^ *[0-9]+: /{show = (\\$1 == minor)} show" /proc/drbd | grep -oE "(ns|nr|dw|pe|ua|oos):[0-9]+" | tr "\\n" " ")
    [ "$now" = "$before" ] || echo "$(date +%s%3N) $now"
    before=$now
    sleep 0.1
  done
' "$1" > ${MOVES} 2>/dev/null < /dev/null &
`;

export interface Move {
  readonly unixMs: number; // by the node's clock
  readonly kibMoved: boolean; // and not only what is under way
}

export interface ProgressWatch {
  readonly end: () => Promise<readonly Move[]>;
}

export async function watchProgress(node: LabNode, minor: number): Promise<ProgressWatch> {
  await node.script(WATCH, [String(minor)]);
  return {
    end: async () => movesOf((await node.run(`rm -f ${MARK}; cat ${MOVES}`)).stdout),
  };
}

/** "1795375000123 ns:912 nr:0 dw:77824 pe:17 ua:97 oos:38600" a line. */
function movesOf(text: string): Move[] {
  let before = "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [unixMs = "", ...figures] = line.trim().split(" ");
      const kib = figures.filter((figure) => !/^(?:pe|ua):/.test(figure)).join(" ");
      const kibMoved = kib !== before;
      before = kib;
      return { unixMs: Number(unixMs), kibMoved };
    });
}
