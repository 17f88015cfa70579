/**
 * What every proof stands on: the lab, one mirrored instance, and Vigie installed afresh, leading, with everything
 * healthy. Limits of the policy are set so that one test does not stand in the next one's way; all else is as shipped.
 */
import { expect, test } from "vitest";
import {
  bringHome,
  ensureInstance,
  labObstacle,
  openLab,
  waitForHealthy,
  type InstanceDisk,
  type Lab,
} from "../index.js";
import { askVigie, type Asked, type ToldIncident, type ToldRun } from "../vigie/ask.js";
import { installVigie } from "../vigie/install.js";

const INSTANCE = "web1.lab.example";
const POLICY = "[policy]\nper_resource_every_s = 3600\nper_node_every_s = 60\nper_cluster_per_hour = 20\n";
const READY_WITHIN_S = 60;

/** A test that needs the lab; skipped where there is none, which lab-lifetime.ts tells. */
export function proof(title: string, body: () => Promise<void>): void {
  test.skipIf(labObstacle() !== undefined)(title, body);
}

export interface Stage {
  readonly lab: Lab;
  readonly disk: InstanceDisk;
  readonly vigie: Asked;
}

/** @param policy lines of [policy] beside those of every proof */
export async function setStage(policy = ""): Promise<Stage> {
  const lab = await openLab();
  const disk = await bringHome(lab, await ensureInstance(lab, INSTANCE));
  await waitForHealthy(lab, disk);
  await installVigie(lab, { afresh: true, orchestratorToml: `${POLICY}${policy}` });
  const vigie = askVigie(lab);
  await vigie.until("Vigie leads, and all are seen healthy", () => isCalm(vigie), READY_WITHIN_S);
  return { lab, disk, vigie };
}

async function isCalm(vigie: Asked): Promise<true | undefined> {
  const status = await vigie.status();
  const healthy = status.resources_total > 0 && status.resources_healthy === status.resources_total;
  return status.leadership.leads && status.nodes_reporting === 3 && healthy ? true : undefined;
}

/** The newest incident of a kind, once it is there. */
export function incidentOf(vigie: Asked, kind: string, seconds: number): Promise<ToldIncident> {
  const look = async (): Promise<ToldIncident | undefined> =>
    (await vigie.incidents()).find((i) => i.kind === kind);
  return vigie.until(`an incident ${kind}`, look, seconds);
}

/** The newest incident of a kind, once its decision says this: an incident is opened first, and decided upon later. */
export function decidedIncident(
  vigie: Asked,
  kind: string,
  decision: string,
  seconds: number,
): Promise<ToldIncident> {
  const look = async (): Promise<ToldIncident | undefined> => {
    const incident = (await vigie.incidents()).find((i) => i.kind === kind);
    return incident?.decision.join().includes(decision) === true ? incident : undefined;
  };
  return vigie.until(`an incident ${kind} with "${decision}"`, look, seconds);
}

/** The incident's run, once it is in one of these states. */
export async function runIn(
  vigie: Asked,
  incident: ToldIncident,
  states: readonly string[],
  seconds: number,
): Promise<ToldRun> {
  const id = await vigie.until(
    "its run",
    async () => (await vigie.incidents()).find((i) => i.id === incident.id)?.run_id || undefined,
    10,
  );
  const look = async (): Promise<ToldRun | undefined> => {
    const run = await vigie.run(id);
    return states.includes(run.state) ? run : undefined;
  };
  return vigie.until(`${id} ${states.join(" or ")}`, look, seconds);
}

export function closedIncident(vigie: Asked, id: string, seconds: number): Promise<ToldIncident> {
  return incidentIn(vigie, id, "closed", seconds);
}

export function incidentIn(vigie: Asked, id: string, state: string, seconds: number): Promise<ToldIncident> {
  const look = async (): Promise<ToldIncident | undefined> =>
    (await vigie.incidents()).find((i) => i.id === id && i.state === state);
  return vigie.until(`${id} ${state}`, look, seconds);
}

/** Seconds from the last progress, as Vigie saw it, to a row of the run. */
export function secondsTo(run: ToldRun, incident: ToldIncident, stepId: string): number {
  const row = run.events.find((event) => event.step_id === stepId && event.kind === "step-verified");
  expect(row, `${stepId} was verified`).toBeDefined();
  return ((row?.unix_ms ?? 0) - incident.last_progress_unix_ms) / 1000;
}

/** How often a cut was, or may have been, made: what the guard refused, on a busy node for its age, was not. */
export function cutsMade({ events }: ToldRun): number {
  const ofCut = events.filter(({ step_id: stepId }) => stepId === "cut-link");
  const refused = ofCut.filter(({ result }) => result?.outcome === "refused").map(({ attempt }) => attempt);
  return ofCut.filter(({ kind, attempt }) => kind === "step-intent" && !refused.includes(attempt)).length;
}

/** What the kernel of the Primary's node holds of our fence. */
export async function standingCuts({ lab, disk }: Stage): Promise<string[]> {
  const { stdout } = await lab.node(disk.primary.node).script(STANDING);
  return stdout.split("\n").filter((line) => line !== "");
}

/**
 * The lists whose peer was put there less than the cut's time ago, by the kernel's own clock: a list of ours shows what
 * jiffies it has now, and a user-mode kernel counts a hundred a second.
 */
const STANDING = `
lists=/proc/net/xt_recent
iptables -w -N LAB-NOW && iptables -w -A LAB-NOW -m recent --name lab-now --rcheck -j RETURN
echo +127.0.0.1 > $lists/lab-now
now=$(sed -n 's/.*last_seen: \\([0-9]*\\).*/\\1/p' $lists/lab-now)
iptables -w -F LAB-NOW; iptables -w -X LAB-NOW
for list in $lists/vigie-cut,*; do
  made=$(sed -n 's/.*last_seen: \\([0-9]*\\).*/\\1/p' "$list" 2>/dev/null)
  seconds=$(echo "$list" | cut -d, -f4)
  [ -n "$made" ] && [ $((now - made)) -lt $((seconds * 100)) ] && echo "$list"
done
true
`;

export async function untilCut(stage: Stage, seconds: number): Promise<void> {
  await stage.vigie.until(
    "the cut stands",
    async () => ((await standingCuts(stage)).length === 1 ? true : undefined),
    seconds,
  );
}

export async function untilNoCut(stage: Stage, seconds: number): Promise<void> {
  await stage.vigie.until(
    "no cut stands",
    async () => ((await standingCuts(stage)).length === 0 ? true : undefined),
    seconds,
  );
}
