/** Command lines that a person can paste: of Vigie's own, and of what an agent ran. */
import type { Plan } from "@vigie/proto";

/** The command that plans this anew. The first parameter stands alone, the others by name, for some may be missing. */
export function commandFor(plan: Plan): string {
  const words = plan.parameters.map(({ name, value }, n) => (n === 0 ? value : `${name}=${value}`));
  return ["vigie do", plan.runbook, ...words.map(shellQuoted)].join(" ");
}

export function shellQuoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** What an agent ran. A write, for which there is no command, is `echo VALUE > PATH`, and its arrow is no argument. */
export function commandLine(argv: readonly string[]): string {
  const isWrite = argv.length === 4 && argv[0] === "echo" && argv[2] === ">";
  return argv.map((word, i) => (isWrite && i === 2 ? word : shellQuoted(word))).join(" ");
}

export interface Hint {
  readonly command: string;
  readonly why: string;
}

/** Commands below each other, with their reasons beside them. */
export function aligned(hints: readonly Hint[]): string[] {
  const width = Math.max(0, ...hints.map((it) => it.command.length));
  return hints.map((it) => `${it.command.padEnd(width)}  ${it.why}`.trimEnd());
}
