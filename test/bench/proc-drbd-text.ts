/** /proc/drbd of a node with many minors, in the very shape that drbd 8.4 prints. */
const HEADER = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 059B1B470318F053F5077D5 \n";

export const MINORS = 128;

export type Activity = "connected" | "resyncing";

/**
 * @param moved KiB that a minor has sent beyond what it began with
 */
export function procDrbdText(activity: Activity, moved: (minor: number) => number = () => 0): string {
  const minors = Array.from({ length: MINORS }, (_, minor) => minorText(activity, minor, moved(minor)));
  return HEADER + minors.join("");
}

function minorText(activity: Activity, minor: number, moved: number): string {
  const sent = 588_416_000 + minor * 1_048_576 + moved;
  const number = String(minor).padStart(2);
  if (activity === "connected")
    return (
      `${number}: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n` +
      `    ns:${sent} nr:4 dw:${sent + 4096} dr:91120 al:8121 bm:17 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n`
    );
  return (
    `${number}: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----\n` +
    `    ns:0 nr:${sent} dw:${sent} dr:0 al:8 bm:0 lo:3 pe:12 ua:3 ap:0 ep:1 wo:f oos:52428800\n` +
    `\t[=============>......] sync'ed: 70.0% (51200/170000)M\n` +
    `\tfinish: 0:13:15 speed: 65,736 (65,736) want: 61,440 K/sec\n`
  );
}
