/**
 * The orchestrator's API as the commands use it: one promise a call, every call with a deadline, every failure a
 * VigieError. The server must prove that it is an orchestrator, not just somebody of our authority.
 */
import { checkServerIdentity } from "node:tls";
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientReadableStream,
} from "@grpc/grpc-js";
import { identityOf, OrchestratorServiceService, VigieError, type WatchResponse } from "@vigie/proto";
import { callFailure } from "./failure.js";
import type { Settings } from "./settings.js";

type Service = typeof OrchestratorServiceService;
export type Method = Exclude<keyof Service, "watch">;
export type RequestOf<M extends Method> = Parameters<Service[M]["requestSerialize"]>[0];
export type ResponseOf<M extends Method> = ReturnType<Service[M]["responseDeserialize"]>;

export interface Api {
  readonly server: string;
  /** @param longestMs where an answer may take longer than people set */
  readonly ask: <M extends Method>(
    method: M,
    request: RequestOf<M>,
    longestMs?: number,
  ) => Promise<ResponseOf<M>>;
  /** A stream that ends at its own deadline; the caller resumes by the cursor. */
  readonly watch: (afterCursor: number | undefined) => ClientReadableStream<WatchResponse>;
  readonly close: () => void;
}

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024; // a cluster of a thousand nodes, with room
const WATCH_DEADLINE_MS = 900_000; // then it is resumed, so that a lost stream cannot look like a quiet one for ever

/** Checked for grpc-js 1.14: these are all that this client needs, others are ignored silently. */
const CHANNEL_OPTIONS = {
  "grpc.initial_reconnect_backoff_ms": 500,
  "grpc.max_reconnect_backoff_ms": 5_000, // 120 s by default: too long for somebody who watches
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0, // an approval is sent once
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
} as const;

const CHANGING: ReadonlySet<Method> = new Set([
  "controlIncident",
  "beginMaintenance",
  "endMaintenance",
  "planRun",
  "approveRun",
  "abortRun",
  "controlRun",
  "setKillSwitch",
  "testChannels",
  "confirmLeadership",
]);

export function connect(settings: Settings, timeoutMs: number): Api {
  const client = new Client(settings.server, channelCredentials(settings), CHANNEL_OPTIONS);
  return {
    server: settings.server,
    ask: (method, request, longestMs = timeoutMs) => ask(client, method, request, settings.server, longestMs),
    watch: (afterCursor) => {
      const { path, requestSerialize, responseDeserialize } = OrchestratorServiceService.watch;
      const options = { deadline: Date.now() + WATCH_DEADLINE_MS };
      return client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { afterCursor },
        options,
      );
    },
    close: () => client.close(),
  };
}

function ask<M extends Method>(
  client: Client,
  method: M,
  request: RequestOf<M>,
  server: string,
  timeoutMs: number,
): Promise<ResponseOf<M>> {
  const { path } = OrchestratorServiceService[method];
  // Looked up by a name that is not known here, so the compiler cannot join the two; RequestOf and ResponseOf do.
  const requestSerialize = OrchestratorServiceService[method].requestSerialize as (
    value: RequestOf<M>,
  ) => Buffer;
  const responseDeserialize = OrchestratorServiceService[method].responseDeserialize as (
    bytes: Buffer,
  ) => ResponseOf<M>;
  const options = { deadline: Date.now() + timeoutMs };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      options,
      (error, response) => {
        if (error !== null) reject(callFailure(error, server, timeoutMs, CHANGING.has(method)));
        else if (response === undefined)
          reject(new VigieError("UNAVAILABLE", `the orchestrator at ${server} sent no answer`));
        else resolve(response);
      },
    );
  });
}

function channelCredentials(settings: Settings): ChannelCredentials {
  return credentials.createSsl(settings.ca, settings.key, settings.certificate, {
    checkServerIdentity: (host, certificate) =>
      checkServerIdentity(host, certificate) ?? notOrchestrator(certificate),
  });
}

function notOrchestrator(certificate: { readonly subjectaltname?: string | undefined }): Error | undefined {
  try {
    if (identityOf(certificate).role === "orchestrator") return undefined;
  } catch (error) {
    return new Error("the server is no orchestrator", { cause: error });
  }
  return new Error("the server is no orchestrator");
}
