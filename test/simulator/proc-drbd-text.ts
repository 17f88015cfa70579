/** Prints minors as /proc/drbd of 8.4 does, so that the agent's own parser reads the simulator. */
import { connectionWord, diskWord, roleWord, type DrbdMinor } from "@vigie/proto";

const HEADER = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 0123456789ABCDEF0123456 \n";

export function procDrbdText(minors: readonly DrbdMinor[]): string {
  return HEADER + minors.map(minorText).join("");
}

function minorText(m: DrbdMinor): string {
  const states = `ro:${roleWord(m.role)}/${roleWord(m.peerRole)} ds:${diskWord(m.disk)}/${diskWord(m.peerDisk)}`;
  const first = `${String(m.minor).padStart(2)}: cs:${connectionWord(m.connection)} ${states} ${m.protocol || " "} ${m.ioFlags}`;
  const counters = `    ns:${m.networkSentKib} nr:${m.networkReceivedKib} dw:${m.diskWrittenKib} dr:${m.diskReadKib} al:0 bm:0 lo:0 pe:${m.pending} ua:${m.unacknowledged} ap:0 ep:1 wo:f oos:${m.outOfSyncKib ?? 0}`;
  return `${first}\n${counters}\n${progressText(m)}`;
}

function progressText({ resync }: DrbdMinor): string {
  if (resync === undefined) return "";
  const done = resync.totalKib === 0 ? 100 : (100 * (resync.totalKib - resync.leftKib)) / resync.totalKib;
  const percent = `${done.toFixed(1).padStart(5)}%`;
  return `\t[>...................] ${resync.verify ? "verified" : "sync'ed"}:${percent} (${resync.leftKib}/${resync.totalKib})K\n\tfinish: 0:01:00 speed: 1,000 (1,000) K/sec\n`;
}
