/** The lab with one mirrored instance and Vigie installed afresh as it is shipped, leading, everything healthy. */
import {
  ensureInstance,
  openLab,
  waitForHealthy,
  type InstanceDisk,
  type Lab,
  type LabNode,
} from "../../lab/index.js";
import { askVigie, type Asked, type ToldIncident } from "../../lab/vigie/ask.js";
import { installVigie } from "../../lab/vigie/install.js";

export interface Stage {
  readonly lab: Lab;
  readonly disk: InstanceDisk;
  readonly vigie: Asked;
}

const INSTANCE = "web1.lab.example"; // the troubles' own
const CALM_WITHIN_S = 90;

export async function setStage(report: (text: string) => void): Promise<Stage> {
  const lab = await openLab({ report });
  const disk = await ensureInstance(lab, INSTANCE);
  await waitForHealthy(lab, disk);
  await installVigie(lab, { afresh: true });
  const stage = { lab, disk, vigie: askVigie(lab) };
  await calm(stage);
  return stage;
}

/** All nodes report, Vigie leads, every disk is healthy and no incident is open. */
export async function calm({ vigie }: Stage): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const status = await vigie.status();
    const healthy = status.resources_total > 0 && status.resources_healthy === status.resources_total;
    const all = status.nodes_reporting === 3 && status.incidents_open === 0;
    return status.leadership.leads && all && healthy ? true : undefined;
  };
  await vigie.until("Vigie leads, and all are seen healthy", look, CALM_WITHIN_S);
}

/** The newest incident of a kind that was opened after a moment. */
export function incidentSince(
  { vigie }: Stage,
  kind: string,
  unixMs: number,
  seconds: number,
): Promise<ToldIncident> {
  const look = async (): Promise<ToldIncident | undefined> =>
    (await vigie.incidents()).find((incident) => incident.kind === kind && incident.opened_unix_ms >= unixMs);
  return vigie.until(`an incident ${kind}`, look, seconds);
}

/** What a moment by this node's clock is by the master's, which opens the incidents. */
export async function masterTime({ lab }: Stage, node: LabNode): Promise<(unixMs: number) => number> {
  const aheadMs = (await aheadOfHost(node)) - (await aheadOfHost(lab.node("h1")));
  return (unixMs) => unixMs - aheadMs;
}

async function aheadOfHost(node: LabNode): Promise<number> {
  const before = Date.now();
  const { stdout } = await node.run("date +%s%3N");
  return Number(stdout) - (before + Date.now()) / 2;
}
