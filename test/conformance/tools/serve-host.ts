/**
 * The agent's own Host, lent over stdin and stdout to a test elsewhere: a request a line, an answer a line. It runs
 * inside a release, bundled, so that what the test sees is what the agent sees there.
 */
import { createInterface } from "node:readline";
import { createRealHost } from "../../../agent/src/real-host.js";

export interface HostRequest {
  readonly id: number;
  readonly method: string; // of Host
  readonly args: readonly unknown[];
}

export type HostAnswer = { readonly id: number } & (
  { readonly value: unknown } | { readonly message: string; readonly code: string | undefined }
);

const host = createRealHost() as unknown as Readonly<
  Record<string, (...args: readonly unknown[]) => Promise<unknown>>
>;

createInterface({ input: process.stdin }).on("line", (line) => void answer(JSON.parse(line) as HostRequest));

async function answer({ id, method, args }: HostRequest): Promise<void> {
  try {
    say({ id, value: await host[method]?.(...args) });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    say({ id, message, code });
  }
}

function say(answered: HostAnswer): void {
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
