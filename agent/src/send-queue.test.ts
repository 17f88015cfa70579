import { ActionResult, Observed, Report, type SessionRequest } from "@vigie/proto";
import { expect, test } from "vitest";
import { createSendQueue, QUEUE_MAX_MESSAGES, RESULTS_MAX_MESSAGES } from "./send-queue.js";

const REPORT: SessionRequest = { body: { $case: "report", value: Report.create({}) } };
const OBSERVED: SessionRequest = { body: { $case: "observed", value: Observed.create({}) } };
const RESULT: SessionRequest = { body: { $case: "actionResult", value: ActionResult.create({}) } };

/** An orchestrator that reads when the test lets it. */
function stage() {
  const unread: (() => void)[] = [];
  let ended = false;
  const send = createSendQueue(
    (_message, left) => unread.push(left),
    () => (ended = true),
  );
  return { send, unread, ended: () => ended };
}

test("an orchestrator that asks for readings and reads none of them costs a bounded number of messages (I38)", () => {
  const { send, unread, ended } = stage();
  const taken = Array.from({ length: 10_000 }, () => send(OBSERVED)).filter(Boolean);
  expect(taken).toHaveLength(QUEUE_MAX_MESSAGES);
  expect(unread).toHaveLength(QUEUE_MAX_MESSAGES);
  expect([send(REPORT), ended()]).toEqual([false, false]);
});

test("a result is taken also by a queue that takes no report", () => {
  const { send, unread, ended } = stage();
  while (send(REPORT));
  expect([send(RESULT), ended()]).toEqual([true, false]);
  expect(unread).toHaveLength(QUEUE_MAX_MESSAGES + 1);
});

test("where not even results are taken the session ends: the next one begins with an empty queue", () => {
  const { send, unread, ended } = stage();
  for (let n = 0; n < 10_000; n += 1) send(RESULT);
  expect(unread).toHaveLength(RESULTS_MAX_MESSAGES);
  expect(ended()).toBe(true);
});

test("once it reads again, everything is taken as before", () => {
  const { send, unread } = stage();
  while (send(REPORT));
  for (const left of unread.splice(0)) left();
  expect(send(OBSERVED)).toBe(true);
});
