/**
 * The cut of a link by the iptables of Debian 12 and of Debian 13, each through nf_tables and through the older tables,
 * on this machine's kernel: made, listed and taken back by the agent's own code in its own environment.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Look, RequestedAction } from "../../../agent/src/actions/action.js";
import { definitionOf } from "../../../agent/src/actions/index.js";
import { ASKER, END, SAMPLES } from "../../../agent/src/actions/testing.js";
import { isNeeded, runStep, type Ran } from "../../../agent/src/run-steps.js";
import { linkCuts } from "../../../agent/src/sources/link-cuts.js";
import { labObstacle, SUITES } from "../../lab/index.js";
import { openReleaseRoot } from "./release-root.js";
import type { RemoteHost } from "./remote-host.js";

const BACKENDS = ["nft", "legacy"] as const;
const ROOTS = SUITES.flatMap((suite) => BACKENDS.map((backend) => [suite, backend] as const));
const OPEN_TIMEOUT_MS = 600_000; // with the making of the image
const GONE_TIMEOUT_MS = 30_000;
const V6 = { ...END, localAddress: "fd00::1", peerAddress: "fd00::2" };

describe.skipIf(labObstacle() !== undefined).each(ROOTS)(
  "a cut by the tools of Debian %s, through %s,",
  (suite, backend) => {
    let root: RemoteHost;
    let missing = ""; // why this machine's kernel cannot do it
    const source = linkCuts(); // it counts from its first reading of a cut

    beforeAll(async () => {
      root = await openReleaseRoot(suite, backend);
      const { exitCode, stderr } = await root.host.run({
        file: "/usr/sbin/iptables",
        args: ["-S"],
        timeoutMs: 10_000,
      });
      missing = exitCode === 0 ? "" : `this kernel has no such tables: ${stderr.trim()}`;
    }, OPEN_TIMEOUT_MS);

    afterAll(() => root?.end());

    test.for([
      ["IPv4", END],
      ["IPv6", V6],
    ] as const)("is made, listed and taken back (%s)", async ([, end], { skip }) => {
      if (missing !== "") skip(missing);
      await perform({ $case: "cutDrbdLink", value: { ...CUT, end } });
      expect(await cuts()).toMatchObject([{ peerAddress: end.peerAddress, port: end.port, runId: "r-7" }]);
      await perform({ $case: "restoreDrbdLink", value: { end } });
      expect(await cuts()).toEqual([]);
    });

    test("is made whatever the length of the run's id, and again over what an earlier one left", async ({
      skip,
    }) => {
      if (missing !== "") skip(missing);
      for (const length of [1, 2, 3, 5, 8, 13, 21, 34]) {
        const runId = `r-${"x".repeat(length)}`;
        await perform({ $case: "cutDrbdLink", value: CUT }, { runId, stepId: "cut-link" });
        expect(await cuts()).toContainEqual(expect.objectContaining({ runId }));
      }
      await perform({ $case: "restoreDrbdLink", value: { end: END } });
      expect(await cuts()).toEqual([]);
    });

    test("is no harm to the next boot, though a person saves the rules in its middle", async ({ skip }) => {
      if (missing !== "") skip(missing);
      await perform({ $case: "cutDrbdLink", value: CUT });
      const saved = await output("/usr/sbin/iptables-save");
      expect(saved).toContain(END.peerAddress);
      await perform({ $case: "restoreDrbdLink", value: { end: END } });
      expect(await output("/usr/sbin/iptables-save")).not.toContain(END.peerAddress);
      await output("/usr/sbin/iptables-restore", saved);
      expect(await cuts()).toEqual([]);
      await perform({ $case: "restoreDrbdLink", value: { end: END } });
    });

    test("is ended by the kernel, with nobody there to end it", async ({ skip }) => {
      if (missing !== "") skip(missing);
      await perform({ $case: "cutDrbdLink", value: { ...CUT, ttlS: 1 } });
      await expect.poll(cuts, { timeout: GONE_TIMEOUT_MS, interval: 500 }).toEqual([]);
    });

    async function cuts(): Promise<readonly unknown[]> {
      const reading = await source.read(root.host);
      expect(reading).toMatchObject({ state: "ok", damaged: [] });
      return reading.state === "ok" && reading.facts.$case === "linkCuts" ? reading.facts.value.cuts : [];
    }

    /** What an action prepares and does, without its guard: there is no DRBD here. */
    async function perform(action: RequestedAction, asker = ASKER): Promise<void> {
      const { prepare, steps } = definitionOf(action);
      const look = { host: root.host, asker } as Look;
      const ran: Ran = { commands: [], outcomes: [] };
      for (const step of [...(prepare?.steps(action.value, asker) ?? []), ...steps(action.value, asker)])
        if (await isNeeded(step, look))
          expect(await runStep(step, look, ran, async () => undefined)).toBeUndefined();
    }

    async function output(file: string, input?: string): Promise<string> {
      const command = { file, args: [], timeoutMs: 10_000, ...(input === undefined ? {} : { input }) };
      const { end, exitCode, stdout, stderr } = await root.host.run(command);
      expect([file, end, exitCode, stderr]).toEqual([file, "exited", 0, expect.anything()]);
      return stdout;
    }
  },
);

const CUT = {
  end: END,
  ttlS: 30,
  minStillMs: 5_000,
  peer: SAMPLES.cutDrbdLink[0]?.[0].peer,
  migrateJobId: 0,
};
