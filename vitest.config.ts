import { defineConfig } from "vitest/config";

const report = process.env["VIGIE_TEST_REPORT"]; // a file for .ci/run to sum up

// Four kinds of tests, by what they need: unit (nothing), conformance (sample outputs beside the project,
// skipped visibly where absent), scenarios (the simulator, virtual time), lab (root, a real kernel).
export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        test: {
          name: "unit",
          include: ["{proto,agent,orchestrator}/src/**/*.test.ts", "test/unit/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "scenarios", include: ["test/scenarios/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          globalSetup: ["test/lab/proofs/lab-lifetime.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
