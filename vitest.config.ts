import { defineConfig } from "vitest/config";

const report = process.env["VIGIE_TEST_REPORT"]; // a file for .ci/run to sum up

// Kinds of tests, by what they need: unit (nothing), conformance (sample outputs beside the project, skipped visibly
// where absent), scenarios and soak (the simulator, virtual time; the latter a whole day), tools (root; every program that the agent starts and every kind
// of receiver, of Debian 12 and 13, in a lab of its own name beside another), lab and nights (root, a real cluster, of one release). The
// wiki's bad nights take three quarters of an hour, so they are apart from what is run before each change lands.
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
      { test: { name: "conformance", include: ["test/conformance/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "tools",
          include: ["test/conformance/tools/*.test.ts"],
          env: { VIGIE_LAB_NAME: "vigie-tools" },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      { test: { name: "scenarios", include: ["test/scenarios/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "soak", include: ["test/soak/*.test.ts"] } },
      { test: { name: "disturbed", include: ["test/disturbed/**/*.test.ts"], testTimeout: 120_000 } },
      onKernels("lab", ["test/lab/*.test.ts", "test/lab/proofs/*.test.ts"]),
      onKernels("nights", ["test/lab/nights/*.test.ts"]),
    ],
  },
});

/** One lab for all, one file after the other. */
function onKernels(name: string, include: string[]) {
  return {
    test: {
      name,
      include,
      globalSetup: ["test/lab/proofs/lab-lifetime.ts"],
      testTimeout: 300_000,
      hookTimeout: 300_000,
      fileParallelism: false,
    },
  };
}
