/**
 * Bundles what is installed on a node: one file a program, for the Node.js that is installed beside them. A node
 * needs no npm and no node_modules.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const PROGRAMS = [
  { from: "agent/src/main.ts", to: "agent/dist/agent.cjs" },
  { from: "orchestrator/src/main.ts", to: "orchestrator/dist/orchestrator.cjs" },
  { from: "orchestrator/src/cli/main.ts", to: "orchestrator/dist/vigie.cjs" },
];

/** Builds all of them anew: under a second. */
export async function bundlePrograms(): Promise<void> {
  await Promise.all(
    PROGRAMS.map(({ from, to }) =>
      build({
        entryPoints: [join(root, from)],
        outfile: join(root, to),
        bundle: true,
        platform: "node",
        format: "cjs",
        target: "node24",
        legalComments: "none",
        // A program's source stays in its memory, twice as long where one character is not ASCII. keepNames is for
        // stack traces.
        charset: "ascii",
        minify: true,
        keepNames: true,
        external: ["@grpc/proto-loader"], // grpc-js asks for it in channelz alone, which is off; it has a parser for .proto
        logLevel: "warning",
      }),
    ),
  );
}
