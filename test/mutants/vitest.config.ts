import { defineConfig } from "vitest/config";

// The tests that a mutant must not survive: those beside what is mutated. Without the exhaustive table of all pairs of
// states, which takes seconds for each mutant and would only add to what these find.
export default defineConfig({
  test: {
    include: [
      "agent/src/guards/*.test.ts",
      "agent/src/actions/*.test.ts",
      "orchestrator/src/engine/**/*.test.ts",
      "orchestrator/src/policy/*.test.ts",
      "orchestrator/src/runbooks/*.test.ts",
    ],
    exclude: ["agent/src/guards/cut-drbd-link-pairs.test.ts"],
    testTimeout: 20_000,
  },
});
