/**
 * /proc/PID/mountinfo and /proc/swaps: which device numbers the host itself uses. The number is the kernel's; the
 * name beside it is what mount(8) was given, and is looked at too, for btrfs gives numbers of its own.
 */
import { refuse } from "./cursor.js";

export interface MountedDevice {
  readonly dev: string; // "8:1"; "0:25" where the filesystem has no device of its own
  readonly mountPoint: string;
  readonly source: string; // "/dev/mapper/vg-lv", "tmpfs"; may be empty
}

/**
 * "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": proc(5).
 * @throws VigieError PARSE_FAILED for a line that is not so: what it mounts is unknown, and not nothing (I11)
 */
export function parseMountinfo(text: string): MountedDevice[] {
  return linesOf(text).map((line) => {
    const separator = line.indexOf(" - "); // the first: blanks of names are escaped, and a source may be "-"
    const [, , dev = "", , mountPoint = ""] = line.slice(0, Math.max(0, separator)).split(" ");
    const [, source] = line.slice(separator + " - ".length).split(" "); // empty where mount(2) was given an empty name
    if (!/^\d+:\d+$/.test(dev) || !mountPoint.startsWith("/") || source === undefined || separator === -1)
      refuse("a line of mountinfo is not understood");
    return { dev, mountPoint: unescape(mountPoint), source: unescape(source) };
  });
}

/**
 * The devices and files that are swapped to: the first column, below a heading.
 * @throws VigieError PARSE_FAILED, of an empty text too: the kernel always prints the heading (I11)
 */
export function parseSwaps(text: string): string[] {
  const [heading, ...lines] = linesOf(text);
  if (!/^Filename\s/.test(heading ?? "")) refuse("/proc/swaps has no heading");
  return lines.map((line) => {
    const path = line.split(/\s/)[0] ?? "";
    return path.startsWith("/") ? unescape(path) : refuse("a line of /proc/swaps is not understood");
  });
}

/** Blanks and the like are \\040 and so on. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
