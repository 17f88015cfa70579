/**
 * The in-memory wire between an agent and an orchestrator. It carries encoded messages, as the real one does, while
 * both ends live and see each other; a test may let them be late, lost, or come twice.
 */
import type { SessionLink } from "@vigie/agent";
import type { Orchestrator } from "@vigie/orchestrator";
import { SessionRequest, SessionResponse, VigieError, type ActionRequest, type Clock } from "@vigie/proto";
import type { Life } from "./mortal.js";
import { createPipe } from "./pipe.js";

const REPEATED_AFTER_MS = 700;

/** A process at one end of a wire. */
export interface Endpoint extends Life {
  readonly links: Set<() => void>; // each closes one of its connections
}

export interface Server {
  readonly orchestrator: Orchestrator;
  readonly process: Endpoint;
}

export interface WireHooks {
  /** Each request for an action comes to its agent twice, the second time a moment later. */
  repeatsRequests: boolean;
  /** This request does not reach its agent. */
  loses: (request: ActionRequest) => boolean;
  /** Likewise, and its connection carries nothing more to the agent. */
  breaks: (request: ActionRequest) => boolean;
  /** In the moment when an orchestrator sends it, whatever becomes of it on the way. */
  sent: (request: ActionRequest, from: string) => void;
  /** ms that a message needs between two nodes; "lost": this connection carries nothing more in this direction. */
  travels: (from: string, to: string) => number | "lost";
  /** ms that this request waits on its way, beside what every message needs. */
  holdsBackMs: (request: ActionRequest) => number;
  /** Instead of what the orchestrator sent. */
  altered: (message: SessionResponse, to: string) => SessionResponse;
  /** Instead of what the agent sent. */
  answered: (message: SessionRequest, from: string, to: string) => SessionRequest;
}

export const QUIET_WIRE: WireHooks = {
  repeatsRequests: false,
  loses: () => false,
  breaks: () => false,
  holdsBackMs: () => 0,
  sent: () => undefined,
  travels: () => 0,
  altered: (message) => message,
  answered: (message) => message,
};

export interface WireParts {
  readonly clock: Clock;
  readonly hooks: WireHooks;
  readonly requests: ActionRequest[];
  readonly serverOn: (node: string) => Server | undefined;
  readonly isUp: (node: string) => boolean;
  /** A connection can be made. */
  readonly reaches: (from: string, to: string) => boolean;
  /** What is sent on one comes over. */
  readonly arrives: (from: string, to: string) => boolean;
}

/** @throws VigieError UNAVAILABLE */
export async function dial(
  parts: WireParts,
  from: string,
  to: string,
  process: Endpoint,
): Promise<SessionLink> {
  const { clock, hooks } = parts;
  const served = parts.serverOn(to);
  await clock.sleep(5);
  const bothLive = (): boolean =>
    process.alive && served?.process.alive === true && served === parts.serverOn(to);
  const carries = (sender: string, receiver: string): boolean =>
    bothLive() && (sender === receiver || parts.arrives(sender, receiver));
  if (
    !bothLive() ||
    (from !== to && !parts.reaches(from, to)) ||
    served === undefined ||
    served.process.frozen !== undefined ||
    !parts.isUp(from)
  )
    throw new VigieError("UNAVAILABLE", `${to} cannot be reached`);
  const inbox = createInbox();
  const toAgent = createPipe<SessionResponse>({
    clock,
    receiver: process,
    deliver: inbox.push,
    ended: inbox.close,
  });
  const toOrchestrator = createPipe<SessionRequest>({
    clock,
    receiver: served.process,
    deliver: (message) => session.receive(message),
    ended: () => session.closed(),
  });
  const close = (): void => {
    if (!served.process.links.delete(close)) return;
    process.links.delete(close);
    toAgent.end();
    toOrchestrator.end();
  };
  const session = served.orchestrator.gateway.accept({ role: "agent", name: from }, { send: carry, close });
  process.links.add(close);
  served.process.links.add(close);

  function carry(message: SessionResponse): void {
    if (message.body?.$case === "actionRequest") hooks.sent(message.body.value, to);
    if (!carries(to, from)) return;
    const body = hooks.altered(SessionResponse.decode(SessionResponse.encode(message).finish()), from);
    const afterMs = from === to ? 0 : hooks.travels(to, from);
    if (body.body?.$case !== "actionRequest") return toAgent.push(body, afterMs);
    parts.requests.push(body.body.value);
    if (hooks.loses(body.body.value)) return;
    if (hooks.breaks(body.body.value)) return toAgent.push(body, "lost");
    const heldMs = hooks.holdsBackMs(body.body.value);
    toAgent.push(body, afterMs === "lost" ? afterMs : afterMs + heldMs);
    if (hooks.repeatsRequests)
      void clock.sleep(REPEATED_AFTER_MS).then(() => carries(to, from) && toAgent.push(body, 0));
  }

  return {
    send: (message) => {
      if (!carries(from, to)) return true;
      const body = hooks.answered(SessionRequest.decode(SessionRequest.encode(message).finish()), from, to);
      toOrchestrator.push(body, from === to ? 0 : hooks.travels(from, to));
      return true;
    },
    messages: inbox.messages,
    close,
  };
}

function createInbox(): {
  push: (message: SessionResponse) => void;
  close: () => void;
  messages: AsyncIterable<SessionResponse>;
} {
  const waiting: SessionResponse[] = [];
  let wake: () => void = () => undefined;
  const state = { open: true };
  return {
    push: (message) => {
      waiting.push(message);
      wake();
    },
    close: () => {
      state.open = false;
      wake();
    },
    messages: (async function* () {
      while (state.open || waiting.length > 0) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    })(),
  };
}
