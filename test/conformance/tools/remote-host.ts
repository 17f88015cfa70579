/** The agent's Host in another root or on another machine, through serve-host.ts there. */
import { realClock } from "@vigie/proto";
import type { Host } from "../../../agent/src/host.js";
import { bundleCallee, connectCallee } from "./line-calls.js";

export interface RemoteHost {
  readonly host: Host;
  /** Programs that were started through it. */
  readonly started: ReadonlySet<string>;
  readonly end: () => Promise<void>;
}

/** serve-host.ts as one file, for the Node.js of a node. */
export function bundleServer(): Promise<string> {
  return bundleCallee("serve-host.ts");
}

/** @param argv starts serve-host.ts there, and ends when its input does */
export function connectHost(argv: readonly string[]): RemoteHost {
  const { call, end } = connectCallee(argv);
  const started = new Set<string>();
  return {
    host: {
      ...realClock,
      readFile: (path) => call("readFile", path),
      listFolder: (path) => call("listFolder", path),
      statFilesystem: (path) => call("statFilesystem", path),
      readLink: (path) => call("readLink", path),
      writeFile: (path, text) => call("writeFile", path, text),
      run: (command) => {
        started.add(command.file);
        return call("run", command);
      },
      exchange: (...all) => call("exchange", ...all),
      claim: (path) => call("claim", path),
      openDevice: () => Promise.reject(new Error("a handle cannot be lent")),
      newKernelLogRecords: () => call("newKernelLogRecords"),
    },
    started,
    end,
  };
}
