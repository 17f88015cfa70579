import type { Plan } from "@vigie/proto";

/** The command that makes this plan anew: the first parameter by its place, the others by their names. */
export function planAgain({ runbook, parameters: [first, ...rest] }: Plan): string {
  const named = rest.map(({ name, value }) => `${name}=${value}`);
  return ["vigie do", runbook, first?.value ?? "", ...named].filter((word) => word !== "").join(" ");
}
