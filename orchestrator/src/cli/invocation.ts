/** One run of one subcommand: its options, its screen, its connection. What the thin command files are given. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { createColors } from "picocolors";
import { connect, type Api } from "./api.js";
import type { ExitCode } from "./exit-codes.js";
import type { Io } from "./io.js";
import { jsonLine, jsonText } from "../wording/json.js";
import type { Screen } from "./render/screen.js";
import { printable } from "../wording/printable.js";
import { DEFAULT_CONFIG, readSettings } from "./settings.js";

export interface Invocation {
  readonly io: Io;
  readonly json: boolean;
  readonly screen: Screen;
  /** Connects, and closes the connection however `body` ends. */
  readonly withApi: <T>(body: (api: Api) => Promise<T>) => Promise<T>;
  /** The message as JSON, or rendered. */
  readonly show: <T>(message: T, render: (message: T, screen: Screen) => string) => void;
  /** One event of a stream: one line either way. */
  readonly showLine: <T>(message: T, render: (message: T, screen: Screen) => string) => void;
}

export type Handler<A extends readonly unknown[]> = (invocation: Invocation, ...args: A) => Promise<ExitCode>;

/** How a subcommand says what it does when it is called; its arguments are commander's, then its options. */
export type Register = <A extends readonly unknown[]>(command: Command, handler: Handler<A>) => void;

/** A command file: adds its subcommand to the program. */
export type AddCommand = (program: Command, register: Register) => void;

interface GlobalOptions {
  readonly json?: boolean;
  readonly server?: string;
  readonly config?: string;
  readonly color: boolean;
  readonly timeout: number;
}

export const GLOBAL_OPTIONS: readonly Option[] = [
  new Option("--json", "print the messages as JSON (see below)"),
  new Option("--server <host:port>", "the orchestrator, instead of the configured one"),
  new Option("--config <file>", `configuration file (default: $VIGIE_CONFIG or ${DEFAULT_CONFIG})`),
  new Option("--no-color", "no colours (as with NO_COLOR set, and off a terminal)"),
  new Option("--timeout <seconds>", "how long to wait for an answer").argParser(parseSeconds).default(10),
];

export function invocationOf(command: Command, io: Io): Invocation {
  const options = command.optsWithGlobals<GlobalOptions>();
  const screen = screenFor(options, io);
  const json = options.json === true;
  return {
    io,
    json,
    screen,
    withApi: async (body) => {
      const api = connect(readSettings(options, io.env), options.timeout * 1000);
      try {
        return await body(api);
      } finally {
        api.close();
      }
    },
    show: (message, render) => io.stdout.write(json ? jsonText(message) : render(printable(message), screen)),
    showLine: (message, render) =>
      io.stdout.write(json ? jsonLine(message) : render(printable(message), screen)),
  };
}

function screenFor(options: GlobalOptions, io: Io): Screen {
  const wanted = options.color && !io.env["NO_COLOR"] && io.env["TERM"] !== "dumb";
  return {
    width: io.isTTY ? (io.columns ?? 80) : undefined,
    colour: createColors(io.isTTY && wanted),
    now: io.now(),
  };
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600))
    throw new InvalidArgumentError("It must be a number of seconds, up to 3600.");
  return seconds;
}
