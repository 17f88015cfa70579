/** The other side of line-calls.ts, inside the program that is called. */
import { createInterface } from "node:readline";

type Functions = Readonly<Record<string, (...args: readonly never[]) => Promise<unknown>>>;

/** Answers until the input ends. */
export function answerCalls(functions: Functions): void {
  createInterface({ input: process.stdin }).on("line", (line) => void answer(line));

  async function answer(line: string): Promise<void> {
    const { id, method, args } = JSON.parse(line) as { id: number; method: string; args: readonly never[] };
    try {
      say({ id, value: await functions[method]?.(...args) });
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      say({ id, message, code });
    }
  }
}

function say(answered: object): void {
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
