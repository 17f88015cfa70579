import { DrbdConfig, DrbdConfigFacts, DrbdEnd, Source, SourceReport, SourceState } from "@vigie/proto";
import { expect, test } from "vitest";
import type { Host } from "../host.js";
import type { Look } from "./action.js";
import { linkConfig } from "./link-config.js";

const END = DrbdEnd.create({ minor: 18 });
const CONFIG = DrbdConfig.create({
  minor: 18,
  localAddress: "10.77.0.12",
  localPort: 11_000,
  peerAddress: "10.77.0.13",
  peerPort: 11_000,
});
const LINK =
  "   0: 0C004D0A:80E5 0D004D0A:2AF8 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n";

function look(change: { fresh?: DrbdConfig | "none"; known?: DrbdConfig[]; tcp?: string }): Look {
  const { fresh, known = [CONFIG], tcp = LINK } = change;
  const facts = { $case: "drbdConfig", value: DrbdConfigFacts.create({ resources: known }) } as const;
  const host = { readFile: async (path: string) => (path === "/proc/net/tcp" ? tcp : "") };
  return {
    host: host as unknown as Host,
    drbdConfig: async () => (fresh === "none" ? undefined : (fresh ?? "unknown")),
    lastGood: (source: Source) =>
      source === Source.DRBD_CONFIG ? SourceReport.create({ state: SourceState.OK, facts }) : undefined,
  } as unknown as Look;
}

test("what drbdsetup says now is what counts", async () => {
  const fresh = { ...CONFIG, peerPort: 11_007 };
  expect(await linkConfig(END, look({ fresh }))).toBe(fresh);
});

test("while drbdsetup hangs, what it said last counts if the kernel still has this very connection", async () => {
  expect(await linkConfig(END, look({}))).toEqual(CONFIG);
});

test("a minor that drbdsetup does not show is not configured, whatever it said before", async () => {
  expect(await linkConfig(END, look({ fresh: "none" }))).toBeUndefined();
});

test.each<[string, Parameters<typeof look>[0]]>([
  ["it was never read", { known: [] }],
  ["it was read twice for one minor", { known: [CONFIG, CONFIG] }],
  ["the connection is to another peer", { tcp: LINK.replace("0D004D0A", "0E004D0A") }],
  ["the connection is of another port: of another disk, or a console", { tcp: LINK.replace("2AF8", "2AF9") }],
  ["the socket is not connected", { tcp: LINK.replace(" 01 ", " 06 ") }],
  ["there is no connection", { tcp: "" }],
])("it does not count when %s (I13, I18)", async (_what, change) => {
  expect(await linkConfig(END, look(change))).toBe("unknown");
});
