/** The API on a real port with real certificates, over a cluster whose two agents are this process. */
import { credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import {
  OrchestratorServiceClient,
  type Report,
  SessionRequest,
  type Clock,
  type IdentityRole,
  type TlsFiles,
  realClock,
} from "@vigie/proto";
import { createAuthority, issueCertificate, type Authority, type KeyPair } from "../ca/authority.js";
import { orchestratorConfigSchema } from "../config.js";
import { startOrchestrator, type Orchestrator } from "../orchestrator.js";
import { openSqliteStore } from "../store/sqlite.js";
import { ganetiReport, INVENTORY, reportOf, SSCONF, ssconfReport, stalled } from "../view/testing.js";
import { listen } from "./grpc-server.js";
import { createService, type Service } from "./service.js";

export interface ApiStage {
  readonly orchestrator: Orchestrator;
  readonly service: Service;
  readonly authority: Authority;
  readonly port: number;
  /** The wall clock, pushed forward; nothing else of time changes. */
  readonly later: (ms: number) => void;
  /** Both nodes report, and name h1 master: it leads. */
  readonly lead: () => Promise<void>;
  readonly report: (node: "h1" | "h2", change?: Partial<Report>) => void;
  readonly client: (pair: KeyPair | undefined) => OrchestratorServiceClient;
  readonly certificate: (role: IdentityRole, name?: string) => Promise<KeyPair>;
  readonly end: () => Promise<void>;
}

export async function apiStage(): Promise<ApiStage> {
  let aheadMs = 0;
  const clock: Clock = { ...realClock, wallUnixMs: () => Date.now() + aheadMs };
  const stop = new AbortController();
  const store = openSqliteStore(":memory:");
  const config = orchestratorConfigSchema.parse({ policy: { stalled_sync: "observe" } });
  const parts = {
    clock,
    random: Math.random,
    store,
    ownNode: "h1",
    config: () => config,
    channels: [],
    log: () => undefined,
  };
  const orchestrator = await startOrchestrator(parts, stop.signal);
  const service = createService(orchestrator);
  const authority = await createAuthority();
  const certificate = (role: IdentityRole, name = "anna"): Promise<KeyPair> =>
    issueCertificate(authority, {
      role,
      name,
      days: 1,
      dnsNames: role === "orchestrator" ? ["127.0.0.1", "localhost"] : [],
    });
  const own = await certificate("orchestrator", "h1");
  const server = await listen(orchestrator, service, "127.0.0.1:0", tlsFiles(authority, own));
  const clients: OrchestratorServiceClient[] = [];
  const sequence = { h1: 0, h2: 0 };
  const sessions = { h1: agentOf("h1"), h2: agentOf("h2") };
  const said = stalled(8_000);

  return {
    orchestrator,
    service,
    authority,
    port: server.port,
    later: (ms) => void (aheadMs += ms),
    certificate,
    report,
    lead: async () => {
      report("h1");
      report("h2");
      await orchestrator.leader.tick();
    },
    client: (pair) => {
      const made = new OrchestratorServiceClient(`127.0.0.1:${server.port}`, sslOf(authority, pair), {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.ssl_target_name_override": "localhost",
      });
      clients.push(made);
      return made;
    },
    end: async () => {
      for (const client of clients) client.close();
      stop.abort();
      await server.stop();
      store.close();
    },
  };

  function agentOf(name: string) {
    const session = orchestrator.gateway.accept(
      { role: "agent", name },
      { send: () => undefined, close: () => undefined },
    );
    const hello = { protocolVersion: 2, node: name, masterNode: "h1", bootId: `boot ${name}` };
    session.receive(SessionRequest.fromPartial({ body: { $case: "hello", value: hello } }));
    return session;
  }

  function report(node: "h1" | "h2", change: Partial<Report> = {}): void {
    const own =
      node === "h1" ? [ssconfReport({ ...SSCONF, nodeList: ["h1", "h2"] }), ganetiReport(INVENTORY)] : [];
    const value = { ...reportOf(said[node], own), sequence: (sequence[node] += 1), ...change };
    sessions[node].receive({ body: { $case: "report", value } });
  }
}

function tlsFiles(authority: Authority, pair: KeyPair): TlsFiles {
  return {
    ca: Buffer.from(authority.certificatePem),
    certificate: Buffer.from(pair.certificatePem),
    key: Buffer.from(pair.keyPem),
  };
}

export function sslOf(authority: Authority, pair: KeyPair | undefined) {
  const ca = Buffer.from(authority.certificatePem);
  if (pair === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(ca, Buffer.from(pair.keyPem), Buffer.from(pair.certificatePem));
}

export interface Answer {
  readonly code: status; // OK: it was answered
  readonly vigieCode: string;
  readonly details: string;
}

/** Calls any method by its definition, with an empty request but for `request`. */
export function call(
  client: OrchestratorServiceClient,
  definition: {
    readonly path: string;
    readonly requestSerialize: (value: never) => Buffer;
    readonly requestDeserialize: (value: Buffer) => object;
    readonly responseDeserialize: (value: Buffer) => unknown;
  },
  request: object = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      definition.path,
      definition.requestSerialize as (value: object) => Buffer,
      definition.responseDeserialize,
      { ...definition.requestDeserialize(Buffer.alloc(0)), ...request },
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error) => resolve(answerOf(error)),
    );
  });
}

export function answerOf(error: ServiceError | null): Answer {
  if (error === null) return { code: status.OK, vigieCode: "", details: "" };
  const [vigieCode = ""] = error.metadata.get("vigie-code");
  return { code: error.code, vigieCode: String(vigieCode), details: error.details };
}
