/**
 * The one listening port: mTLS, the gateway for agents and the API for people, each method behind the role table.
 * Handlers never throw into grpc-js, and every stream has an error listener (grpc-js ends the process otherwise).
 */
import {
  Server,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import {
  GatewayServiceService,
  identityOf,
  OrchestratorServiceService,
  VigieError,
  type Identity,
  type OrchestratorServiceServer,
  type SessionRequest,
  type SessionResponse,
  type TlsFiles,
  type WatchRequest,
  type WatchResponse,
} from "@vigie/proto";
import type { Orchestrator } from "../orchestrator.js";
import { mayCall } from "./roles.js";
import { MutualTls } from "./server-credentials.js";
import type { Service } from "./service.js";
import { serviceError } from "./status-code.js";

const QUEUE_MAX_MESSAGES = 1_000;
const WATCH_PAGE = 500;
const STOP_GRACE_MS = 2_000;

const SERVER_OPTIONS = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.max_send_message_length": 16 * 1024 * 1024,
  "grpc.max_concurrent_streams": 16,
  "grpc.max_connection_idle_ms": 300_000,
  "grpc.enable_channelz": 0,
};

export interface ListeningServer {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export async function listen(
  orchestrator: Orchestrator,
  service: Service,
  address: string,
  tls: TlsFiles,
): Promise<ListeningServer> {
  const server = new Server(SERVER_OPTIONS);
  server.addService(GatewayServiceService, {
    session: (call: SessionCall) => openSession(orchestrator, call),
  });
  server.addService(OrchestratorServiceService, apiHandlers(orchestrator, service));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, new MutualTls(tls), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, stop: () => stopServer(server) };
}

type SessionCall = ServerDuplexStream<SessionRequest, SessionResponse>;

function openSession(orchestrator: Orchestrator, call: SessionCall): void {
  call.on("error", () => undefined); // without a listener it would end the process
  const identity = authorised(call, "/vigie.v1.GatewayService/Session");
  if (!("role" in identity)) return void call.emit("error", serviceError(identity));
  let queued = 0;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    session.closed();
  };
  call.on("error", finish);
  call.on("cancelled", finish);
  call.on("end", () => {
    call.end();
    finish();
  });
  const session = orchestrator.gateway.accept(identity, {
    send: (message) => {
      if (over) return;
      queued += 1;
      if (queued > QUEUE_MAX_MESSAGES) return close(); // it does not read: its next session starts anew
      call.write(message, () => (queued -= 1));
    },
    close,
  });
  call.on("data", (message: SessionRequest) => session.receive(message));

  function close(): void {
    if (!over) call.end();
    finish();
  }
}

function apiHandlers(orchestrator: Orchestrator, service: Service): OrchestratorServiceServer {
  const unary =
    <Q, R>(method: string, handle: (request: Q, person: string) => Promise<R>): handleUnaryCall<Q, R> =>
    (call, callback) => {
      const identity = authorised(call, `/vigie.v1.OrchestratorService/${method}`);
      if (!("role" in identity)) return callback(serviceError(identity));
      handle(call.request, identity.name).then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error)),
      );
    };
  return {
    getStatus: unary("GetStatus", service.getStatus),
    listNodes: unary("ListNodes", service.listNodes),
    listResources: unary("ListResources", service.listResources),
    listInstances: unary("ListInstances", service.listInstances),
    listIncidents: unary("ListIncidents", service.listIncidents),
    getIncident: unary("GetIncident", service.getIncident),
    controlIncident: unary("ControlIncident", service.controlIncident),
    beginMaintenance: unary("BeginMaintenance", service.beginMaintenance),
    endMaintenance: unary("EndMaintenance", service.endMaintenance),
    listMaintenances: unary("ListMaintenances", service.listMaintenances),
    planRun: unary("PlanRun", service.planRun),
    approveRun: unary("ApproveRun", service.approveRun),
    abortRun: unary("AbortRun", service.abortRun),
    controlRun: unary("ControlRun", service.controlRun),
    listRunbooks: unary("ListRunbooks", service.listRunbooks),
    getHolders: unary("GetHolders", service.getHolders),
    listLocks: unary("ListLocks", service.listLocks),
    listChannels: unary("ListChannels", service.listChannels),
    testChannels: unary("TestChannels", service.testChannels),
    setKillSwitch: unary("SetKillSwitch", service.setKillSwitch),
    listRuns: unary("ListRuns", service.listRuns),
    getRun: unary("GetRun", service.getRun),
    listAudit: unary("ListAudit", service.listAudit),
    verifyAudit: unary("VerifyAudit", service.verifyAudit),
    confirmLeadership: unary("ConfirmLeadership", service.confirmLeadership),
    watch: (call) => {
      call.on("error", () => undefined); // without a listener it would end the process
      watch(orchestrator, call).catch((error: unknown) => call.emit("error", serviceError(error)));
    },
  };
}

/**
 * Replays what is kept after the cursor, no faster than it is read, then goes on live, without a gap: what is told
 * while it replays is read from the store too.
 */
async function watch(
  orchestrator: Orchestrator,
  call: ServerWritableStream<WatchRequest, WatchResponse>,
): Promise<void> {
  const identity = authorised(call, "/vigie.v1.OrchestratorService/Watch");
  if (!("role" in identity)) throw identity;
  let cursor = call.request.afterCursor ?? (await orchestrator.store.lastCursor());
  let live = false;
  let told = false;
  const unsubscribe = orchestrator.subscribe((event) => {
    told = true;
    if (live) deliver(event);
  });
  call.on("cancelled", unsubscribe);
  while (!live && !call.cancelled) {
    told = false;
    const page = await orchestrator.store.watchAfter(cursor, WATCH_PAGE);
    for (const event of page) deliver(event);
    if (call.writableNeedDrain) await drained(call);
    live = page.length < WATCH_PAGE && !told;
  }

  function deliver(event: WatchResponse): void {
    if (event.cursor <= cursor || call.cancelled) return;
    if (call.writableLength > QUEUE_MAX_MESSAGES) {
      unsubscribe();
      const slow = new VigieError("UNAVAILABLE", "the events are not read; resume after the last one");
      return void call.emit("error", serviceError(slow));
    }
    cursor = event.cursor;
    call.write(event);
  }
}

function drained(call: ServerWritableStream<WatchRequest, WatchResponse>): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["drain", "cancelled", "close"]) call.once(event, () => resolve());
  });
}

/** By the certificate alone (I16, I35). */
function authorised(
  call: { getAuthContext: () => { sslPeerCertificate?: { subjectaltname?: string | undefined } } },
  path: string,
): Identity | VigieError {
  try {
    const identity = identityOf(call.getAuthContext().sslPeerCertificate ?? {});
    if (mayCall(identity.role, path)) return identity;
    return new VigieError("PERMISSION_DENIED", `${identity.role} ${identity.name} may not call ${path}`);
  } catch (error) {
    return error instanceof VigieError
      ? error
      : new VigieError("PERMISSION_DENIED", "the certificate cannot be read", { cause: error });
  }
}

/** tryShutdown waits for ever while a session is open. */
async function stopServer(server: Server): Promise<void> {
  await Promise.race([
    new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    new Promise<void>((resolve) => setTimeout(resolve, STOP_GRACE_MS)),
  ]);
  server.forceShutdown();
}
