/**
 * The agent's gRPC stream to the orchestrator: mTLS of 1.3 at least, by the node's name, with keepalive on this end and
 * a bounded queue. grpc-js never refuses a write and never times a connect out by itself, so both are done here.
 */
import { checkServerIdentity, createSecureContext, type PeerCertificate } from "node:tls";
import { credentials, type ChannelOptions } from "@grpc/grpc-js";
import {
  GatewayServiceClient,
  identityOf,
  VigieError,
  type SessionResponse,
  type TlsFiles,
} from "@vigie/proto";
import { createSendQueue } from "./send-queue.js";
import type { Dial, SessionLink } from "./session.js";

const CONNECT_DEADLINE_MS = 20_000; // a peer that accepts and says nothing would hold the channel for ever

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": 1024 * 1024,
  "grpc.max_send_message_length": 4 * 1024 * 1024,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_channelz": 0,
  "grpc.use_local_subchannel_pool": 1,
};

export function createDial(port: () => number, readTls: () => TlsFiles): Dial {
  return async (node) => {
    const tls = readTls(); // anew each time: a renewed certificate needs no restart
    const { ca, key, certificate: cert } = tls;
    const context = createSecureContext({ ca, key, cert, minVersion: "TLSv1.3" });
    const verify = { checkServerIdentity: isOrchestratorOf };
    const channelCredentials = credentials.createFromSecureContext(context, verify);
    const client = new GatewayServiceClient(`${node}:${port()}`, channelCredentials, CHANNEL_OPTIONS);
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + CONNECT_DEADLINE_MS, (error) => {
        if (error === undefined) return resolve();
        client.close();
        reject(
          new VigieError(
            "UNAVAILABLE",
            `the orchestrator on ${node}, port ${port()}, did not answer within ${CONNECT_DEADLINE_MS / 1000} s`,
          ),
        );
      });
    });
    return openLink(client);
  };
}

/** The name is the node's, and the certificate says that it is an orchestrator's of that very node (I16). */
function isOrchestratorOf(node: string, certificate: PeerCertificate): Error | undefined {
  const problem = checkServerIdentity(node, certificate);
  if (problem !== undefined) return problem;
  try {
    const identity = identityOf(certificate);
    if (identity.role === "orchestrator" && identity.name === node) return undefined;
    return new Error(
      `the certificate is of ${identity.role} ${identity.name}, not of the orchestrator on ${node}`,
    );
  } catch (error) {
    return error as Error;
  }
}

function openLink(client: GatewayServiceClient): SessionLink {
  const call = client.session();
  let closed = false;
  const send = createSendQueue((message, left) => call.write(message, left), close);
  call.on("error", () => undefined); // the iteration below throws it
  return {
    send: (message) => !closed && send(message),
    messages: call as AsyncIterable<SessionResponse>,
    close,
  };

  function close(): void {
    if (closed) return;
    closed = true;
    call.cancel();
    client.close();
  }
}
