/**
 * The agent's own Host, lent over stdin and stdout to a test elsewhere. It runs inside a release, bundled, so that what the
 * test sees is what the agent sees there.
 */
import { createRealHost } from "../../../agent/src/real-host.js";
import { answerCalls } from "./answer-calls.js";

answerCalls(createRealHost() as unknown as Parameters<typeof answerCalls>[0]);
