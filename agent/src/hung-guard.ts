/**
 * A tool that sits in the kernel (state D) cannot be killed, and neither could the next one: started each time that a
 * source is read, they would fill the node's process table in hours. So while one hangs no second of its family is
 * started, and no more than a few hang in all (I37). What was to be asked is unknown meanwhile (I11), and is asked again
 * once the child has ended.
 */
import type { Command, CommandOutcome, Host } from "./host.js";

export const HUNG_MAX = 12; // of TasksMax in the agent's unit: what still works must find room

interface Hung {
  readonly family: string;
  readonly startedMs: number; // monotonic
}

/** The same host, but for `run`: what may not be started now is "not-started", with the reason in stderr. */
export function sparingHung(host: Host): Host {
  const hung = new Set<Hung>(); // in the order in which they were given up
  return { ...host, run };

  function run(command: Command): Promise<CommandOutcome> {
    const startedMs = host.monotonicMs();
    const family = familyOf(command);
    const refusal = whyNot(command, family, startedMs);
    if (refusal !== "") return Promise.resolve({ ...NOT_STARTED, stderr: refusal });
    const outcome = host.run(command);
    void outcome.then(
      ({ end, ended }) => {
        if (end === "hung") remember({ family, startedMs }, ended);
      },
      () => undefined, // whoever asked hears of it
    );
    return outcome;
  }

  function remember(child: Hung, ended: Promise<void> | undefined): void {
    hung.add(child);
    void ended?.then(() => hung.delete(child));
  }

  function whyNot({ file, args }: Command, family: string, nowMs: number): string {
    const same = [...hung].find((each) => each.family === family);
    const name = [file, ...args.slice(0, 1)].join(" ");
    if (same !== undefined)
      return `${name} has not answered for ${ageOf(nowMs - same.startedMs)}; it is not started again (I37)`;
    return hung.size < HUNG_MAX ? "" : `${hung.size} commands hang in the kernel; no other is started`;
  }
}

/**
 * The program and its first argument that is no option: "drbdsetup get-gi", "smartctl /dev/sda". What hangs for
 * one minor hangs for the next, for DRBD has one lock for all of them; of disks each hangs by itself.
 */
function familyOf({ file, args }: Command): string {
  const word = args.find((arg) => !arg.startsWith("-"));
  return word === undefined ? file : `${file} ${word}`;
}

function ageOf(ms: number): string {
  return ms < 120_000 ? `${Math.floor(ms / 1_000)} s` : `${Math.floor(ms / 60_000)} min`;
}

const NOT_STARTED: CommandOutcome = {
  end: "not-started",
  exitCode: -1,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 0,
};
