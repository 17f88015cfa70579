/** Names of DRBD's block devices. */

/** "drbd18" is 18; undefined: it is another device. */
export function minorOf(name: string): number | undefined {
  const digits = /^drbd(\d{1,7})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
