/**
 * The agents' sessions: one live one a node, by the certificate's name (I16). It hands reports on, acknowledges them
 * once what they changed is on disk, and matches answers to what was asked.
 */
import {
  SessionResponse,
  VERSION,
  VigieError,
  type ActionRequest,
  type ActionResult,
  type Clock,
  type Hello,
  type Identity,
  type LogEnd,
  type MaintenanceList,
  type Observed,
  type Report,
  Source,
  type SessionRequest,
  type Stop,
} from "@vigie/proto";

export const PROTOCOL_VERSION = 2; // 2: replace-disks names its disks, and requests may be recalls
const REPORT_INTERVAL_MS = 1_000;
const HEARTBEAT_EVERY_MS = 5_000;
const OBSERVE_DEADLINE_MS = 2_000;
/** Those that run tools: as long as the agent gives a reading (deadlineMs of its source), and a second for the way. */
const TOOLS_DEADLINE_MS: Readonly<Partial<Record<Source, number>>> = {
  [Source.DRBD_CONFIG]: 6_000,
  [Source.DRBD_GENERATIONS]: 6_000,
  [Source.LINK_CUTS]: 5_000,
  [Source.DEVICE_MAPPER]: 9_000,
  [Source.HOLDERS]: 11_000,
  [Source.GUESTS]: 9_000,
  [Source.LVM]: 21_000,
  [Source.GANETI]: 6_000,
  [Source.GANETI_JOB]: 6_000,
};

/** The orchestrator's end of one stream. */
export interface AgentLink {
  readonly send: (message: SessionResponse) => void;
  readonly close: () => void;
}

/** What the agent's end calls. */
export interface AgentSession {
  readonly receive: (message: SessionRequest) => void;
  readonly closed: () => void;
}

export interface GatewayEvents {
  readonly hello: (node: string, hello: Hello) => void;
  /** Resolves when what it changed is on disk, with where the audit log ends then. */
  readonly report: (node: string, report: Report) => Promise<LogEnd>;
  readonly gone: (node: string) => void;
}

export interface ObservedAt {
  readonly observed: Observed;
  readonly askedAtMs: number; // monotonic: the reading began after it
}

/** What a source that is read only when asked for is asked about. */
export interface About {
  readonly minor?: number;
  readonly jobId?: number;
}

export interface Gateway {
  readonly accept: (identity: Identity, link: AgentLink) => AgentSession;
  /** @throws VigieError UNAVAILABLE when the agent has no session, or does not answer in time */
  readonly observe: (node: string, source: Source, about?: About) => Promise<ObservedAt>;
  /** @throws VigieError UNAVAILABLE when there is no session or it ended before the answer: the effect is unknown */
  readonly act: (request: ActionRequest, deadlineMs: number) => Promise<ActionResult>;
  readonly lead: (epoch: number) => void; // to all, and to who comes later; 0: not leading
  readonly stop: (stop: Stop) => void; // likewise
  readonly maintenance: (list: MaintenanceList) => void; // likewise
}

interface Session {
  readonly node: string;
  readonly link: AgentLink;
  readonly actions: Map<string, Pending<ActionResult>>;
  readonly observations: Map<number, Pending<Observed>>;
  greeted: boolean;
}

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: VigieError) => void;
}

export function createGateway(clock: Clock, ownNode: string, events: GatewayEvents): Gateway {
  const sessions = new Map<string, Session>();
  let epoch = 0;
  let newestStop: Stop | undefined;
  let newestMaintenance: MaintenanceList | undefined;
  let requestId = 0;

  return { accept, observe, act, lead, stop, maintenance };

  function accept(identity: Identity, link: AgentLink): AgentSession {
    if (identity.role !== "agent") {
      refuse(link, "PERMISSION_DENIED", `${identity.role} ${identity.name} is not an agent`);
      return { receive: () => undefined, closed: () => undefined };
    }
    const session: Session = {
      node: identity.name,
      link,
      actions: new Map(),
      observations: new Map(),
      greeted: false,
    };
    return { receive: (message) => receive(session, message), closed: () => end(session) };
  }

  function receive(session: Session, { body }: SessionRequest): void {
    if (!session.greeted && body?.$case !== "hello")
      return refuse(session.link, "INVALID_ARGUMENT", "the agent speaks first, with hello");
    switch (body?.$case) {
      case "hello":
        return greet(session, body.value);
      case "report":
        return void acknowledge(session, body.value);
      case "actionResult":
        return void session.actions.get(keyOf(body.value))?.resolve(body.value);
      case "observed":
        return void session.observations.get(body.value.requestId)?.resolve(body.value);
      case "heartbeat":
      case undefined:
        return;
    }
  }

  function greet(session: Session, hello: Hello): void {
    const { link, node } = session;
    if (hello.protocolVersion !== PROTOCOL_VERSION)
      return refuse(
        link,
        "INVALID_ARGUMENT",
        `protocol ${hello.protocolVersion}: this orchestrator (${VERSION}) speaks ${PROTOCOL_VERSION}`,
      );
    if (hello.node !== node)
      return refuse(link, "IDENTITY_MISMATCH", `the certificate is of ${node}, the hello of ${hello.node}`);
    const older = sessions.get(node);
    sessions.set(node, session);
    session.greeted = true;
    older?.link.close();
    send(link, {
      $case: "welcome",
      value: {
        protocolVersion: PROTOCOL_VERSION,
        orchestrator: ownNode,
        reportIntervalMs: REPORT_INTERVAL_MS,
      },
    });
    events.hello(node, hello); // what it knows of a stop counts before it is told what is known here (I33)
    if (newestStop !== undefined) send(link, { $case: "stop", value: newestStop });
    if (newestMaintenance !== undefined) send(link, { $case: "maintenance", value: newestMaintenance });
    if (epoch > 0) send(link, { $case: "lead", value: { epoch } });
    void beat(session);
  }

  async function acknowledge(session: Session, report: Report): Promise<void> {
    if (sessions.get(session.node) !== session) return; // an older session's last words
    try {
      const audit = await events.report(session.node, report);
      send(session.link, { $case: "ack", value: { sequence: report.sequence, audit } });
    } catch {
      // What could not be kept is not acknowledged; the recorder has told.
    }
  }

  /** Proves that this event loop lives, which a ping of the socket does not. */
  async function beat(session: Session): Promise<void> {
    while (sessions.get(session.node) === session) {
      await clock.sleep(HEARTBEAT_EVERY_MS);
      if (sessions.get(session.node) === session)
        send(session.link, { $case: "heartbeat", value: { monotonicMs: clock.monotonicMs() } });
    }
  }

  function end(session: Session): void {
    const error = new VigieError("UNAVAILABLE", `the session with ${session.node} ended before it answered`);
    for (const pending of [...session.actions.values(), ...session.observations.values()])
      pending.reject(error);
    if (sessions.get(session.node) !== session) return;
    sessions.delete(session.node);
    events.gone(session.node);
  }

  async function observe(node: string, source: Source, about: About = {}): Promise<ObservedAt> {
    const session = liveSession(node);
    requestId += 1;
    const id = requestId;
    const askedAtMs = clock.monotonicMs();
    const answer = pending<Observed>(
      session.observations,
      id,
      `${node} did not read ${source} in time`,
      TOOLS_DEADLINE_MS[source] ?? OBSERVE_DEADLINE_MS,
    );
    const { minor = 0, jobId = 0 } = about;
    send(session.link, { $case: "observeNow", value: { requestId: id, source, minor, jobId } });
    return { observed: await answer, askedAtMs };
  }

  function act(request: ActionRequest, deadlineMs: number): Promise<ActionResult> {
    const session = liveSession(request.node);
    const answer = pending<ActionResult>(
      session.actions,
      keyOf(request),
      `${request.node} did not answer in time`,
      deadlineMs,
    );
    send(session.link, { $case: "actionRequest", value: request });
    return answer;
  }

  function lead(newEpoch: number): void {
    epoch = newEpoch;
    if (epoch === 0) return;
    for (const { link } of sessions.values()) send(link, { $case: "lead", value: { epoch } });
  }

  function stop(value: Stop): void {
    newestStop = value;
    for (const { link } of sessions.values()) send(link, { $case: "stop", value });
  }

  function maintenance(value: MaintenanceList): void {
    newestMaintenance = value;
    for (const { link } of sessions.values()) send(link, { $case: "maintenance", value });
  }

  function liveSession(node: string): Session {
    const session = sessions.get(node);
    if (session === undefined) throw new VigieError("UNAVAILABLE", `the agent on ${node} has no session`);
    return session;
  }

  function pending<T>(
    table: Map<unknown, Pending<T>>,
    id: unknown,
    late: string,
    deadlineMs: number,
  ): Promise<T> {
    const stop = new AbortController();
    return new Promise<T>((resolve, reject) => {
      table.set(id, { resolve, reject });
      void clock.sleep(deadlineMs, stop.signal).then(() => {
        if (!stop.signal.aborted) reject(new VigieError("UNAVAILABLE", late));
      });
    }).finally(() => {
      stop.abort(null); // without a reason one is made, an error with its stack
      table.delete(id);
    });
  }
}

function keyOf(message: {
  readonly runId: string;
  readonly stepId: string;
  readonly attempt: number;
}): string {
  return `${message.runId}/${message.stepId}/${message.attempt}`;
}

function send(link: AgentLink, body: NonNullable<SessionResponse["body"]>): void {
  link.send(SessionResponse.create({ body }));
}

function refuse(link: AgentLink, code: string, message: string): void {
  send(link, { $case: "refusal", value: { code, message } });
  link.close();
}
