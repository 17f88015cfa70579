/**
 * A day of a real cluster, in virtual time: what is done to it, what its people are told, and what `vigie incidents`
 * shows at its end. The log is a golden one, to be read by a person: is anything in it false, is anything missing?
 * VIGIE_UPDATE_GOLDEN=1 writes it anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createService } from "@vigie/orchestrator";
import { ListIncidentsRequest, type Message } from "@vigie/proto";
import { expect, test } from "vitest";
import { renderIncidents } from "../../orchestrator/src/cli/render/incidents.js";
import { createColors } from "picocolors";
import { createSimCluster } from "../simulator/cluster.js";
import { fakeChannel } from "../simulator/fake-channel.js";
import { watchInvariants } from "../simulator/invariants.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { CLUSTER, DAY } from "./day.js";

const GOLDEN = new URL("expected.log", import.meta.url);
const HOURS = 24;

test("in a day of verifies, reboots, blinking links, jobs and a few real troubles, only the troubles are told", async () => {
  const clock = createVirtualClock();
  const ops = fakeChannel("ops");
  const cluster = await createSimCluster(clock, {
    instances: CLUSTER,
    inMemory: true,
    channels: () => [ops.channel],
  });
  const lines: string[] = [];
  const startUnixMs = clock.wallUnixMs();
  const timeOf = (unixMs: number): string => new Date(unixMs).toISOString().slice(11, 19);
  const invariants = watchInvariants(cluster.world);
  let told = 0;
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000);
      expect(invariants.look()).toEqual([]);
      for (const message of ops.received.slice(told)) lines.push(...asLines(message, timeOf));
      told = ops.received.length;
    }
  };
  const note = (text: string): void => void lines.push(`${timeOf(clock.wallUnixMs())}  -- ${text}`);
  try {
    for (const { at, what } of DAY) {
      await pass((startUnixMs + msOf(at) - clock.wallUnixMs()) / 1000);
      await what({ cluster, note, pass });
    }
    await pass((startUnixMs + HOURS * 3_600_000 - clock.wallUnixMs()) / 1000);
    const service = createService(cluster.orchestrator());
    const all = await service.listIncidents(ListIncidentsRequest.create({ includeClosed: true, limit: 100 }));
    const table = renderIncidents(all, {
      width: undefined,
      colour: createColors(false),
      now: clock.wallUnixMs(),
      timeZone: "UTC",
    });
    const log = shortened(`${lines.join("\n")}\n\n$ vigie incidents --all\n${table}`);
    if (process.env["VIGIE_UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, log);
    expect(log).toBe(readFileSync(GOLDEN, "utf8"));
  } finally {
    cluster.end();
  }
}, 1_800_000);

function msOf(at: string): number {
  const [hours = 0, minutes = 0] = at.split(":").map(Number);
  return (hours * 60 + minutes) * 60_000;
}

function asLines({ items, unixMs }: Message, timeOf: (unixMs: number) => string): string[] {
  return items.map(({ kind, title, causes }) => {
    const why = causes.map((cause) => word(cause, "NOTICE_CAUSE_")).join(", ");
    return `${timeOf(unixMs)}  told: ${word(kind, "INCIDENT_KIND_")}: ${title} (${why})`;
  });
}

function word(value: string, prefix: string): string {
  return value.replace(prefix, "").toLowerCase().replaceAll("_", "-");
}

/** Ids hold the time and a random part, and the names have one domain. */
function shortened(text: string): string {
  const names = new Map<string, string>();
  return text
    .replaceAll(/\b([ir])-[0-9a-z]{9}-[0-9a-z]{4}\b/g, (id, kind: string) => {
      const known = names.get(id) ?? `${kind}${names.size + 1}`;
      names.set(id, known);
      return known.padEnd(id.length);
    })
    .replaceAll(".sim.example", "");
}
