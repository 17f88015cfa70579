/** `vigie instances`: one line an instance, the worst first; and one of them with all its disks. */
import type { GanetiInstance, InstanceStatus, ListInstancesResponse, ResourceStatus } from "@vigie/proto";
import { endLines } from "./drbd-facts.js";
import { sizeOfKib } from "../../wording/format.js";
import { healthPaint } from "./paints.js";
import { worstFirst } from "./resources.js";
import { section, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";
import { healthWord } from "../../wording/words.js";

export function renderInstances({ instances }: ListInstancesResponse, screen: Screen): string {
  if (instances.length === 0)
    return "No instances are known: Ganeti has none, or its master has not told yet.\n";
  const columns: Column<InstanceStatus>[] = [
    { heading: "INSTANCE", cell: (it) => it.instance?.name ?? "?", cut: 1, least: 20 },
    { heading: "DISKS ARE", cell: diskHealth, paint: (it) => healthPaint(it.health, screen) },
    { heading: "STATE", cell: (it) => stateText(it.instance), cut: 2 },
    { heading: "PRIMARY", cell: (it) => it.instance?.primaryNode ?? "?", cut: 4 },
    { heading: "SECONDARY", cell: (it) => it.instance?.secondaryNodes.join(" ") || "-", cut: 3 },
    { heading: "DISKS", cell: disksText, right: true, leaveOut: 2 },
    { heading: "TEMPLATE", cell: (it) => it.instance?.diskTemplate || "?", leaveOut: 1 },
  ];
  return `${table(columns, worstFirst(instances), screen).join("\n")}\n`;
}

/** Also where there is none to be told of: a plain disk is not mirrored. */
function diskHealth({ health }: InstanceStatus): string {
  return healthWord(health);
}

/** What it is by Ganeti's last look, or else what it should be. */
function stateText(instance: GanetiInstance | undefined): string {
  if (instance === undefined) return "?";
  return instance.status || `should be ${instance.adminState || "?"}`;
}

function disksText({ instance }: InstanceStatus): string {
  return String(instance?.disks.length ?? 0);
}

export interface InstanceView extends InstanceStatus {
  readonly resources: readonly ResourceStatus[];
}

export function renderInstance({ instance, health, resources }: InstanceView, screen: Screen): string {
  if (instance === undefined) return "The orchestrator sent no instance.\n";
  const facts: (readonly [string, string])[] = [
    ["state", `${stateText(instance)}, Ganeti wants it ${instance.adminState || "?"}`],
    ["primary", instance.primaryNode],
    ["secondary", instance.secondaryNodes.join(", ") || "none"],
    ["template", instance.diskTemplate],
    ["serial", String(instance.serial)],
    ["tags", instance.tags.join(", ")],
  ];
  const word = healthPaint(health, screen)(healthWord(health));
  const lines = [
    `${screen.colour.bold(instance.name)}  its disks are ${word}`,
    ...facts.filter(([, value]) => value !== "").map(([name, value]) => `  ${name.padEnd(9)}  ${value}`),
    ...resources.flatMap((it) => diskLines(it, screen)),
  ];
  return `${lines.join("\n")}\n`;
}

function diskLines(resource: ResourceStatus, screen: Screen): string[] {
  const health = healthPaint(resource.health, screen)(healthWord(resource.health));
  const port = resource.port === 0 ? "" : `, TCP port ${resource.port}`;
  const heading = `disk/${resource.diskIndex}, ${sizeOfKib(resource.sizeMib * 1024)}${port}, is ${health}`;
  return section(heading, endLines(resource.ends, screen), screen);
}
