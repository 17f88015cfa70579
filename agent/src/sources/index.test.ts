import { Source } from "@vigie/proto";
import { expect, test } from "vitest";
import { sourceDefinitions } from "./index.js";
import { fakeHost } from "./testing.js";

/** There is nothing of them to report, and that is known. */
const OF_THE_KERNEL = [Source.KERNEL_LOG, Source.LINK_CUTS];

const definitions = sourceDefinitions({ nodeName: "h1.example" });

test("every source of the vocabulary is in the table, once", () => {
  const sources = Object.values(Source).filter(
    (source) => source !== Source.UNSPECIFIED && source !== Source.UNRECOGNIZED,
  );
  expect(definitions.map(({ source }) => source).sort()).toEqual(sources.sort());
});

test("a machine that has none of it is answered, and not an error", async () => {
  const missing = { end: "not-started" as const, exitCode: -1, stderr: "spawn ENOENT" };
  const host = fakeHost({ run: () => missing });
  const readings = await Promise.all(definitions.map(({ read }) => read(host)));
  const states = readings.map(({ state }, index) => [definitions[index]?.source, state]);
  expect(new Map(states.map(([source, state]) => [source, state]))).toEqual(
    new Map(definitions.map(({ source }) => [source, OF_THE_KERNEL.includes(source) ? "ok" : "absent"])),
  );
});
