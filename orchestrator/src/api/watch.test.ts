import type { ServiceError } from "@grpc/grpc-js";
import type { OrchestratorServiceClient, WatchResponse } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Change } from "../store/store.js";
import { apiStage, type ApiStage } from "./testing.js";

let stage: ApiStage;
let client: OrchestratorServiceClient;
beforeEach(async () => {
  stage = await apiStage();
  client = stage.client(await stage.certificate("viewer"));
});
afterEach(() => stage.end());

function record(from: number, to: number): Promise<void> {
  const changes = Array.from({ length: to - from }, (_, i): Change => {
    const value = { node: `n${from + i}`, reporting: true, text: "" };
    return { record: "watch", unixMs: 0, event: { $case: "node", value } };
  });
  return stage.orchestrator.recorder.record(changes);
}

/** The events after the cursor, until there are `count`; then the stream is killed. */
function watch(
  afterCursor: number | undefined,
  count: number,
  opened?: () => void,
): Promise<WatchResponse[]> {
  const events: WatchResponse[] = [];
  return new Promise((resolve) => {
    const stream = client.watch({ afterCursor });
    stream.on("error", (_error: ServiceError) => resolve(events)); // cancelled by us, or ended by the server
    stream.on("end", () => resolve(events));
    stream.on("metadata", () => undefined);
    stream.on("data", (event: WatchResponse) => {
      events.push(event);
      if (events.length === count) stream.cancel();
    });
    opened?.();
  });
}

const names = (events: readonly WatchResponse[]): string[] =>
  events
    .map(({ event }) => (event?.$case === "node" ? event.value.node : "?"))
    .filter((name) => /^n\d/.test(name));
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `n${from + i}`);

test("a stream that is killed and resumed from its cursor loses no event and doubles none", async () => {
  await record(0, 20);
  const start = (await stage.orchestrator.store.lastCursor()) - 20;
  const seen: WatchResponse[] = [];
  let from = 20;
  while (names(seen).length < 60) {
    const left = 60 - names(seen).length;
    const got = await watch(seen.at(-1)?.cursor ?? start, Math.min(7, left), () => {
      if (from < 60) void record(from, (from += 10)); // while it replays
    });
    seen.push(...got);
  }
  expect(names(seen).slice(0, 60)).toEqual(numbered(0, 60));
  expect(seen.map(({ cursor }) => cursor)).toEqual(seen.map((_, i) => start + 1 + i));
});

test("without a cursor only what comes from now on is told", async () => {
  await record(0, 5);
  const got = watch(undefined, 2);
  await expect.poll(() => subscribers).toBe(1);
  await record(5, 7);
  expect(names(await got)).toEqual(["n5", "n6"]);
});

test("a watcher that was away for thousands of events gets them all, in order", async () => {
  for (let at = 0; at < 4_000; at += 1_000) await record(at, at + 1_000);
  const start = (await stage.orchestrator.store.lastCursor()) - 4_000;
  const got = await watch(start, 4_000);
  expect(names(got)).toEqual(numbered(0, 4_000));
});

test("a watcher that went away is not written to any more", async () => {
  await record(0, 3);
  await watch(0, 1);
  await expect.poll(() => subscribers).toBe(0);
});

let subscribers = 0;
beforeEach(() => {
  subscribers = 0;
  const { subscribe } = stage.orchestrator;
  Object.assign(stage.orchestrator, {
    subscribe: (callback: (event: WatchResponse) => void) => {
      subscribers += 1;
      const end = subscribe(callback);
      let over = false;
      return () => {
        end();
        if (!over) subscribers -= 1;
        over = true;
      };
    },
  });
});
