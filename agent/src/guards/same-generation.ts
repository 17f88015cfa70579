/** Two generation UUIDs as `drbdsetup get-gi` prints them: 16 hexadecimal digits, upper case. */
const UUID = /^[0-9A-F]{16}$/;

/** The lowest bit says only that the end was Primary. What is no generation is like none. */
export function sameGeneration(a: string, b: string): boolean {
  return UUID.test(a) && UUID.test(b) && BigInt(`0x${a}`) >> 1n === BigInt(`0x${b}`) >> 1n;
}
