/** `vigie holders`: who holds a device, and what a person would type to let it go. */
import type { GetHoldersResponse, Holder } from "@vigie/proto";
import { section, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";
import { word } from "../../wording/words.js";

export function renderHolders(
  { holders, instance, manualCommands }: GetHoldersResponse,
  node: string,
  minor: number,
  screen: Screen,
): string {
  const of = instance === "" ? "which Ganeti does not name" : `of ${instance}`;
  const device = `/dev/drbd${minor} on ${node}, ${of}`;
  const columns: Column<Holder>[] = [
    { heading: "HELD BY", cell: kindText },
    { heading: "NAME", cell: (it) => it.name, cut: 2 },
    { heading: "PID", cell: (it) => (it.pid === 0 ? "-" : String(it.pid)), right: true },
    {
      heading: "OPEN",
      cell: (it) => (it.openCount === 0 ? "-" : String(it.openCount)),
      right: true,
      leaveOut: 1,
    },
    { heading: "WHAT", cell: (it) => it.detail || "-", cut: 1 },
  ];
  const lines = [
    `${screen.colour.bold(device)}: ${holders.length === 0 ? "nobody that can be seen holds it" : "is held"}`,
    ...(holders.length === 0 ? [] : ["", ...table(columns, holders, screen, 2)]),
    ...section(
      "By hand, the least harmful first",
      manualCommands.map((it) => `  ${screen.colour.cyan(it)}`),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function kindText(holder: Holder): string {
  return holder.kpartx ? "partition map" : word(holder.kind);
}
