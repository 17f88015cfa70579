/** What a lab left on disk when its host was switched off, or its processes were killed. */
import { expect, test, vi } from "vitest";
import type { LabState } from "../lab/host/state.js";
import { runningLab } from "../lab/up.js";

const GONE = { pid: process.pid, startTicks: 1 }; // by now the pid is somebody else's
const LEFT: LabState = {
  suite: "bookworm",
  cacheFolder: "/nonexistent",
  ready: true,
  kernels: { h1: GONE, h2: GONE, h3: GONE },
};

vi.mock("../lab/host/state.js", () => ({ readState: () => LEFT, writeState: () => undefined }));

test("a lab whose nodes are gone is not a running lab, although its state on disk says ready", () => {
  expect(runningLab()).toBeUndefined();
});
