/** Ctrl-C, or the end of the terminal, while the lab comes up or is shown: nothing is left running. */
import { takeDown } from "./down.js";

const EXIT_CODE = 130; // as a shell reports SIGINT

export function takeDownOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, takeDownAndExit);
}

function takeDownAndExit(): void {
  console.error("\ninterrupted: taking the lab down");
  void takeDown()
    .catch((error: unknown) => console.error(`not all of it could be taken down: ${String(error)}`))
    .finally(() => process.exit(EXIT_CODE));
}
