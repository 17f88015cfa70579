/**
 * What a cut does to the firewall of a real kernel, with both of Debian's iptables: it cuts, the kernel ends it, nothing
 * of it is left, and a host whose rules were saved in the middle of it comes up with all of its own.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seenFence } from "../../agent/src/actions/cut-drbd-link.js";
import { allHold } from "../../agent/src/guards/fact.js";
import { fenceFacts } from "../../agent/src/guards/fence.js";
import { endConnections, fenceSteps, makeCut, openSteps, type TimedCut } from "../../agent/src/link-fence.js";
import { isNeeded } from "../../agent/src/run-steps.js";
import { linkCuts } from "../../agent/src/sources/link-cuts.js";
import { removeAll, tidy } from "../../agent/src/sweep.js";
import type { ActionStep, Look } from "../../agent/src/actions/action.js";
import { createNamespace, whyNot, type Backend, type Namespace } from "./namespace.js";

const CUT: TimedCut = { peerAddress: "10.0.0.2", port: 11_018, ttlS: 30, runId: "r-7" };
const SHORT: TimedCut = { ...CUT, ttlS: 1 };
const SITE = `
iptables -P INPUT DROP
iptables -A INPUT -i lo -p icmp -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A INPUT -s 10.0.0.0/24 -j ACCEPT
`;

const DESTROYS = execFileSync(
  "sh",
  ["-c", "zcat /proc/config.gz 2>/dev/null || cat /boot/config-$(uname -r) 2>/dev/null || true"],
  {
    encoding: "utf8",
  },
).includes("\nCONFIG_INET_DIAG_DESTROY=y\n");
const why = whyNot();
const title = why === "" ? "" : ` (skipped: ${why})`;

describe.skipIf(why !== "").each<Backend>(["legacy", "nft"])(`a cut, by iptables-%s${title}`, (backend) => {
  let saved: string;
  let space: Namespace;

  beforeEach(() => {
    saved = mkdtempSync(join(tmpdir(), "vigie-rules-"));
    space = createNamespace(backend, saved);
    space.sh(SITE);
  });
  afterEach(() => {
    space.end();
    rmSync(saved, { recursive: true, force: true });
  });

  const rules = (): string => space.sh("iptables -S; ip6tables -S");
  const look = (): Look => ({ host: space.host }) as Look;

  async function run(steps: readonly ActionStep[]): Promise<void> {
    for (const step of steps) {
      if (!(await isNeeded(step, look()))) continue;
      if ("write" in step) await space.host.writeFile(step.path, step.write.text);
      else expect(await space.host.run(step.run)).toMatchObject({ end: "exited", exitCode: 0, stderr: "" });
    }
  }
  const fence = (cut: TimedCut): Promise<void> => run(fenceSteps(cut));
  const cutNow = async (cut: TimedCut): Promise<void> => run([...fenceSteps(cut), makeCut(cut)]);
  const cuts = async (source = linkCuts()) => {
    const reading = await source.read(space.host, { minor: 0, jobId: 0 });
    expect(reading).toMatchObject({ state: "ok", damaged: [] });
    return reading.state === "ok" && reading.facts.$case === "linkCuts" ? reading.facts.value.cuts : [];
  };
  const comesFirst = async (): Promise<boolean> => allHold(fenceFacts(CUT, await seenFence(CUT, look())));

  test("refuses nothing before the peer is in the kernel's list, and is seen there as soon as it is", async () => {
    await fence(CUT);
    expect(await cuts()).toEqual([]);
    expect(connects(space)).toBe("refused"); // by the port, where nobody listens
    await run([makeCut(CUT)]);
    expect(await cuts()).toMatchObject([{ peerAddress: "10.0.0.2", port: 11_018, runId: "r-7" }]);
    expect(connects(space)).toBe("silence");
  });

  test("ends by itself, with nobody to end it (I17)", async () => {
    await cutNow(SHORT);
    expect(connects(space, 0.3)).toBe("silence");
    let answer = "silence";
    for (let tries = 0; tries < 100 && answer === "silence"; tries += 1) answer = connects(space, 0.3);
    expect(answer).toBe("refused");
  });

  test("resets the connection that is there", async () => {
    const { ends } = await connection(space);
    await cutNow(CUT);
    expect((await ends(1))[0]).toMatch(/ECONNRESET|EPIPE/);
  });

  test.skipIf(!DESTROYS)(
    `is told to both ends at once where the kernel can${DESTROYS ? "" : " (skipped: this one cannot)"}`,
    async () => {
      const { ends } = await connection(space); // which no rule refuses
      expect(await space.host.run(endConnections(CUT))).toMatchObject({ exitCode: 0, stderr: "" });
      const told = await ends(2);
      expect(
        told.map((line) => line.split(" ")[0]).toSorted((a, b) => (a ?? "").localeCompare(b ?? "")),
      ).toEqual(["own", "peer"]);
    },
  );

  test("ends no connection but those of its link", async () => {
    const { ends } = await connection(space);
    await space.host.run(endConnections({ ...CUT, port: 11_019 }));
    await space.host.run(endConnections({ ...CUT, peerAddress: "10.0.0.3" }));
    expect(space.sh("ss -H -n -t state established '( sport = :11018 )' | wc -l").trim()).toBe("1");
    expect(await ends(0)).toEqual([]);
  });

  test("is taken away by a restore, and the firewall is as it was", async () => {
    const before = rules();
    await cutNow(CUT);
    await run(openSteps(CUT));
    expect(rules()).toBe(before);
    expect(connects(space)).toBe("refused");
  });

  test("leaves nothing behind once it is over, though nobody let the link back", async () => {
    const before = rules();
    const source = linkCuts();
    await cutNow(SHORT);
    for (let tries = 0; tries < 100 && (await cuts(source)).length > 0; tries += 1) space.sh("sleep 0.1");
    await tidy(space.host, await cuts(source), false);
    expect(rules()).toBe(before);
  });

  test("of an agent that was killed is taken away by whoever comes next", async () => {
    const before = rules();
    await cutNow(CUT);
    await removeAll(space.host);
    expect(rules()).toBe(before);
    expect(await cuts()).toEqual([]);
  });

  test("which somebody saves with the site's rules lets these load at the next boot, and cuts nothing then", async () => {
    const before = rules();
    await cutNow(CUT);
    space.sh("netfilter-persistent save");
    space.end();
    space = createNamespace(backend, saved); // the next boot
    space.sh("netfilter-persistent start");
    expect(await cuts()).toEqual([]);
    expect(connects(space)).toBe("refused");
    for (const rule of before.split("\n")) expect(rules().split("\n")).toContain(rule);
    await removeAll(space.host); // as the agent does at its start
    expect(rules()).toBe(before);
  });

  test("behind a rule of the site's that got above it is none, and is put first again", async () => {
    await fence(CUT);
    expect(await comesFirst()).toBe(true);
    space.sh("iptables -I INPUT 1 -s 10.0.0.0/24 -j ACCEPT");
    expect(await comesFirst()).toBe(false);
    await fence(CUT);
    expect(await comesFirst()).toBe(true);
  });
});

/** What DRBD would meet that opens a new connection to its peer. */
function connects({ sh }: Namespace, seconds = 1): string {
  return sh(
    `timeout ${seconds} bash -c 'exec 3<>/dev/tcp/10.0.0.2/11018' 2>/dev/null && echo open || { test $? = 124 && echo silence || echo refused; }`,
  ).trim();
}

/** Between the two ends; both go on sending. */
const CONNECTION = `
const net = require("node:net");
const told = (whose) => (error) => console.log(whose + " " + (error.code ?? error.message));
const talk = (socket, whose) => {
  socket.on("error", told(whose)).on("data", () => undefined);
  setInterval(() => socket.write("x"), 50);
};
const server = net.createServer((socket) => talk(socket, "own"));
server.listen(11018, "10.0.0.1", () => {
  const socket = net.connect({ port: 11018, host: "10.0.0.1", localAddress: "10.0.0.2" });
  socket.once("connect", () => console.log("connected"));
  talk(socket, "peer");
});
`;

/** @returns what each end is told, as it is told */
async function connection({
  node,
}: Namespace): Promise<{ readonly ends: (count: number) => Promise<string[]> }> {
  const lines: string[] = [];
  const { stdout } = node(CONNECTION);
  stdout?.on("data", (chunk: Buffer) => void lines.push(...chunk.toString("utf8").trim().split("\n")));
  const have = async (count: number): Promise<string[]> => {
    for (let tries = 0; tries < 500 && lines.length < count; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return lines;
  };
  expect(await have(1)).toEqual(["connected"]);
  return { ends: async (count) => (await have(count + 1)).slice(1) };
}
