/** The demonstration on real kernels: the lab, Vigie under systemd on its nodes, a real stall, a real heal. */
import {
  createInstance,
  instanceNames,
  openLab,
  removeInstance,
  troubleNamed,
  waitForHealthy,
  type Lab,
  type Suite,
} from "../lab/index.js";
import { instanceDisk } from "../lab/cluster/configuration.js";
import { startProgress } from "../lab/host/progress.js";
import { askVigie } from "../lab/vigie/ask.js";
import { installVigie } from "../lab/vigie/install.js";
import { createTimeline, type WatchedEvent } from "./timeline.js";

const INSTANCE = "web1.lab.example";
const HEAL_WITHIN_S = 180;

/** @returns whether the heal was seen */
export async function demonstrateOnLab(print: (line: string) => void, suite: Suite): Promise<boolean> {
  const progress = startProgress(print);
  const install = (on: Lab): Promise<void> =>
    progress.step("vigie-agent on h1, h2 and h3, vigie-orchestrator on h1", () =>
      installVigie(on, { afresh: true }),
    );
  const lab = await openLab({ suite, report: print, meanwhile: install });
  const vigie = askVigie(lab);
  await progress.step(`DRBD instance ${INSTANCE}`, () => freshInstance(lab));
  await progress.step("Vigie sees a healthy cluster", () =>
    vigie.until(
      "all healthy",
      async () => {
        const { leadership, nodes_reporting, resources_healthy, resources_total } = await vigie.status();
        return leadership.leads &&
          nodes_reporting === 3 &&
          resources_total > 0 &&
          resources_healthy === resources_total
          ? true
          : undefined;
      },
      60,
    ),
  );
  const timeline = createTimeline(print);
  const stop = lab
    .node("h1")
    .stream("vigie watch --json", (line) => timeline.take(JSON.parse(line) as WatchedEvent));
  try {
    const seen = await progress.step("a resync begins, and its data packets are lost from now on", () =>
      troubleNamed("stalled-sync").make(lab, {}),
    );
    print(indent(seen));
    print("\nNobody is at the keyboard. Seconds since the resync last moved:\n");
    await until(() => timeline.healed() || timeline.gaveUp(), HEAL_WITHIN_S);
  } finally {
    stop();
  }
  print(
    `\n$ vigie status\n${indent((await lab.node("h1").run("vigie status", { allowFailure: true })).stdout)}`,
  );
  print(
    timeline.healed() ? WHAT_NEXT : "The heal was not seen. See: npm run lab -- ssh h1 vigie incidents --all",
  );
  return timeline.healed();
}

const WHAT_NEXT = `Healed, with the packet loss still there. The cluster stays up; look around:
  npm run lab -- ssh h1                       the master; then: vigie status, vigie incident show ID, vigie run show ID, vigie audit
  npm run lab -- break stalled-sync-port      a stall that comes back: Vigie cuts once, sees that it does not help, and asks
  npm run lab -- break                        the other troubles; mend TROUBLE takes one back
  npm run lab -- down                         stop it; nothing is left behind`;

async function freshInstance(lab: Lab): Promise<void> {
  if ((await instanceNames(lab)).includes(INSTANCE)) {
    await troubleNamed("stalled-sync")
      .mend(lab, {})
      .catch(() => removeInstance(lab, INSTANCE));
  }
  if (!(await instanceNames(lab)).includes(INSTANCE))
    await createInstance(lab, INSTANCE, { primary: "h2", secondary: "h3" });
  await waitForHealthy(lab, await instanceDisk(lab, INSTANCE));
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

async function until(holds: () => boolean, seconds: number): Promise<void> {
  const endMs = Date.now() + seconds * 1000;
  while (!holds() && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 200));
}
