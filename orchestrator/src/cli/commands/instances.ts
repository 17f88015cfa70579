/** `vigie instances` and `vigie instance show NAME` */
import type { Command } from "commander";
import { nearestWord, VigieError, type InstanceStatus } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderInstance, renderInstances } from "../render/instances.js";

export function addInstances(program: Command, register: Register): void {
  const command = program
    .command("instances")
    .description("every instance, where it runs, and how its disks are, the worst first");
  register(command, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      show(await api.ask("listInstances", {}), renderInstances);
      return EXIT.ok;
    }),
  );
}

export function addInstance(program: Command, register: Register): void {
  const command = program
    .command("instance")
    .description("one instance")
    .command("show")
    .description("what Ganeti wants of it, and both ends of each of its disks")
    .argument("<name>", "in full, or up to a dot");
  register(command, ({ withApi, show }: Invocation, name: string) =>
    withApi(async (api) => {
      const status = await instanceNamed(api, name);
      const instance = status.instance?.name ?? "";
      const { resources } = await api.ask("listResources", { node: "", instance });
      show({ ...status, resources }, renderInstance);
      return EXIT.ok;
    }),
  );
}

async function instanceNamed(api: Api, name: string): Promise<InstanceStatus> {
  const { instances } = await api.ask("listInstances", {});
  const names = instances.map((it) => it.instance?.name ?? "");
  const meant = names.includes(name) ? [name] : names.filter((it) => it.startsWith(`${name}.`));
  const found = instances.find((it) => it.instance?.name === meant[0]);
  if (found !== undefined && meant.length === 1) return found;
  if (meant.length > 1)
    throw new VigieError("INVALID_ARGUMENT", `${name} may be ${meant.join(" or ")}: give its name in full`);
  const near = nearestWord(name, names);
  const hint = near === undefined ? "" : `: did you mean ${near}?`;
  throw new VigieError("NOT_FOUND", `there is no instance ${JSON.stringify(name)}${hint}`);
}
