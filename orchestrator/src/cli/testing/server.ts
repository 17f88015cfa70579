/** The scripted orchestrator: grpc-js with mTLS on loopback, as the real one listens. */
import {
  Metadata,
  Server,
  ServerCredentials,
  status as grpcStatus,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { OrchestratorServiceService, RunState, type VigieErrorCode, type WatchRequest } from "@vigie/proto";
import { CODE_KEY } from "../failure.js";
import * as sample from "./samples.js";

export type Answers = { -readonly [method in keyof typeof OrchestratorServiceService]?: () => unknown };

export interface Asked {
  readonly method: string;
  readonly request: unknown;
}

/** What an answer throws to be refused with a gRPC status, and Vigie's own code beside it. */
export class Refusal extends Error {
  constructor(
    readonly status: grpcStatus,
    readonly code: VigieErrorCode | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** The answer that never comes. */
export const NEVER = Symbol("no answer");

export const HAPPY: Answers = {
  getStatus: () => sample.STATUS,
  listNodes: () => sample.NODES,
  listResources: () => sample.RESOURCES,
  listInstances: () => sample.INSTANCES,
  listIncidents: () => ({ incidents: [sample.INCIDENT, sample.SILENT] }),
  getIncident: () => sample.INCIDENT_SHOWN,
  planRun: () => ({ run: sample.PLANNED }),
  approveRun: () => ({ run: sample.RUN }),
  controlIncident: () => ({ incident: sample.ACKNOWLEDGED }),
  beginMaintenance: () => sample.BEGUN,
  endMaintenance: () => ({ maintenance: sample.MAINTENANCE, stillOpen: [sample.SILENT], unawareNodes: [] }),
  listMaintenances: () => ({ maintenances: [{ maintenance: sample.MAINTENANCE, incidents: 2 }] }),
  abortRun: () => ({ run: { ...sample.RUN, state: RunState.ABORTED } }),
  listRuns: () => ({ runs: [{ ...sample.RUN, events: [] }] }),
  getRun: () => ({ run: sample.RUN }),
  controlRun: () => ({ run: sample.RUN }),
  listRunbooks: () => sample.RUNBOOKS,
  getHolders: () => sample.HOLDERS,
  listLocks: () => sample.LOCKS,
  listChannels: () => sample.CHANNELS,
  testChannels: () => ({
    tests: [{ name: "ops", type: "mail", delivered: true, answer: "250 2.0.0 Ok: queued as 3F2A" }],
  }),
  listAudit: () => ({ records: [] }),
  verifyAudit: () => ({ intact: true, faults: [], records: 7, head: "ab", archives: [], folder: "" }),
  setKillSwitch: () => ({ stopped: true, confirmed: true, unconfirmedReason: "", unawareNodes: [] }),
  confirmLeadership: () => ({
    leadership: { leads: true, epoch: 8, votes: 1, voters: 2, reason: "confirmed by laurent" },
  }),
};

export async function startServer(
  read: (file: string) => Buffer,
  asked: Asked[],
  answers: Answers,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = new Server();
  const handlers = Object.keys(OrchestratorServiceService).map(
    (method) => [method, handlerFor(method, asked, answers)] as const,
  );
  server.addService(OrchestratorServiceService, Object.fromEntries(handlers));
  const pairs = [{ cert_chain: read("orchestrator.pem"), private_key: read("orchestrator.key") }];
  const credentials = ServerCredentials.createSsl(read("ca.pem"), pairs, true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

function handlerFor(method: string, asked: Asked[], answers: Answers): UntypedHandleCall {
  if (method === "watch") return watchHandler(asked) as UntypedHandleCall;
  const handler = (
    call: { request: unknown },
    callback: (error: unknown, response?: unknown) => void,
  ): void => {
    asked.push({ method, request: call.request });
    try {
      const response = answers[method as keyof Answers]?.();
      if (response !== NEVER) callback(null, response);
    } catch (error) {
      callback(asGrpcError(error));
    }
  };
  return handler as unknown as UntypedHandleCall;
}

function asGrpcError(error: unknown): object {
  const refusal = error as Refusal;
  const metadata = new Metadata();
  if (refusal.code !== undefined) metadata.set(CODE_KEY, refusal.code);
  return { code: refusal.status, details: refusal.message, metadata };
}

/** Sends the events after the cursor, two at a time, and then breaks the stream: the client must resume. */
function watchHandler(asked: Asked[]): (call: WatchCall) => void {
  return (call) => {
    asked.push({ method: "watch", request: call.request });
    const rest = sample.EVENTS.filter((it) => it.cursor > (call.request.afterCursor ?? 0));
    for (const event of rest.slice(0, 2)) call.write(event);
    const broken = { code: grpcStatus.UNAVAILABLE, details: "the orchestrator restarts" };
    setTimeout(() => call.emit("error", broken), 50);
  };
}

interface WatchCall {
  readonly request: WatchRequest;
  readonly write: (it: unknown) => void;
  readonly emit: (event: "error", error: object) => void;
}
