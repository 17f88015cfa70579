/** Jobs that stop a guest, start it, or remove the whole instance. As instance_operation.py and instance.py do them. */
import { Role } from "@vigie/proto";
import { leave } from "./drbd-commands.js";
import { JobFailed, type JobWork } from "./ganeti-jobs.js";
import type { InstanceModel } from "./ganeti-model.js";
import { removeInstance } from "./instances.js";
import { activateDisks, deactivate } from "./job-disks.js";
import { changed, mustAnswer, place } from "./job-moves.js";
import { nodeOf } from "./world.js";

const STOPS_MS = 2_000;
const STARTS_MS = 1_000;

/** What holds its device open keeps its minors. */
export async function shutdown(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  mustAnswer(world, instance.primary);
  instance.adminState = "down";
  changed(world.ganeti, instance);
  await work.sleep(STOPS_MS);
  nodeOf(world, instance.primary).guests.delete(instance.name);
  for (const disk of instance.disks) for (const end of disk.ends) if (end.configured) leave({ disk, end });
  deactivate(instance);
}

export async function startup(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  mustAnswer(world, instance.primary);
  instance.adminState = "up";
  changed(world.ganeti, instance);
  await activateDisks(instance, work);
  for (const end of instance.disks.flatMap(({ ends }) => ends))
    end.role = end.node === instance.primary ? Role.PRIMARY : Role.SECONDARY;
  await work.sleep(STARTS_MS);
  place(instance, instance.primary, work);
}

export async function remove(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  if (!world.ganeti.instances.includes(instance))
    throw new JobFailed(`Instance '${instance.name}' not known`);
  if (instance.adminState === "up") await shutdown(instance, work);
  work.log(`Removing block devices of ${instance.name}`);
  removeInstance(world, instance);
}
