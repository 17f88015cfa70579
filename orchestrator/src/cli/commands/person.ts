/** The person at the terminal: is asked in words, and answers in a line. */
import { createInterface } from "node:readline/promises";
import type { Plan } from "@vigie/proto";
import type { Invocation } from "../invocation.js";
import { printable } from "../../wording/printable.js";

export interface Person {
  /** Without the spaces around it; empty also at the end of the input, and when interrupted. */
  readonly ask: (question: string) => Promise<string>;
  readonly close: () => void;
}

/** Undefined where nobody can be asked: no terminal, or the answer is for a program. */
export function personAt({ io, json }: Invocation): Person | undefined {
  if (!io.isTTY || io.stdin.isTTY !== true || json) return undefined;
  const reader = createInterface({
    input: io.stdin,
    ...(io.signal === undefined ? {} : { signal: io.signal }),
  });
  const lines = reader[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      io.stdout.write(question);
      const line = await lines.next();
      return line.done === true ? "" : line.value.trim();
    },
    close: () => reader.close(),
  };
}

/** One that is closed however `body` ends: an open reader keeps the process alive. */
export async function withPerson<T>(
  invocation: Invocation,
  body: (person: Person | undefined) => Promise<T>,
): Promise<T> {
  const person = personAt(invocation);
  try {
    return await body(person);
  } finally {
    person?.close();
  }
}

export function isYes(answer: string): boolean {
  return /^y(?:es)?$/i.test(answer);
}

/** The word that an approval brings, which is empty where the plan asks for none; undefined: not approved. */
export async function approvalOf(person: Person, plan: Plan): Promise<string | undefined> {
  const { typedWord } = plan;
  if (typedWord === "") return isYes(await person.ask("\nRun this now? Type yes: ")) ? "" : undefined;
  const question = `\nType ${printable(typedWord)} to run this now, or anything else to leave it: `;
  return (await person.ask(question)) === typedWord ? typedWord : undefined;
}
