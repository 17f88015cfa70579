/**
 * Every program that the agent starts, of Debian 12 and of Debian 13, on that release's own kernel and started by the
 * agent's own code: its nearly empty environment (I36), its argv. A program of another release that crashes in it, or
 * knows an option no more, or prints otherwise, is found here and not at night.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { actionCommands, type Command, type RequestedAction } from "@vigie/agent";
import { NodeChangeKind, ReplaceMode } from "@vigie/proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ASKER, END, SAMPLES } from "../../../agent/src/actions/testing.js";
import { beat } from "../../../agent/src/heartbeat.js";
import type { CommandOutcome } from "../../../agent/src/host.js";
import { submitCommand, type GanetiJobKind } from "../../../agent/src/actions/ganeti-commands.js";
import { deviceMapper } from "../../../agent/src/sources/device-mapper.js";
import { drbdConfig } from "../../../agent/src/sources/drbd-config.js";
import { drbdGenerations } from "../../../agent/src/sources/drbd-generations.js";
import { LIST_INSTANCES, LIST_JOBS, LIST_NODES } from "../../../agent/src/sources/gnt-list.js";
import { lvm } from "../../../agent/src/sources/lvm.js";
import { onePartition, parseTableId, tableIdOf } from "../../../agent/src/sources/partition-table.js";
import { procDrbd } from "../../../agent/src/sources/proc-drbd.js";
import { smart } from "../../../agent/src/sources/smart.js";
import type { SourceDefinition } from "../../../agent/src/sources/source.js";
import { parseWipefs, wipefs } from "../../../agent/src/sources/wipefs.js";
import { labObstacle, SUITES } from "../../lab/index.js";
import { plugDisk } from "../../lab/cluster/new-disk.js";
import { openReleaseNode, type ReleaseNode } from "./release-node.js";

const NOT_TRIED = new Map([["/usr/sbin/xl", "Xen's tools need Xen's kernel"]]);
const NO_CLUSTER = /Cluster not initialized or this machine is not part of a cluster/;
const BOOT_TIMEOUT_MS = 600_000; // with the making of the image

describe.skipIf(labObstacle() !== undefined).each(SUITES)(
  "as the agent starts them, on Debian %s,",
  (suite) => {
    let machine: ReleaseNode;

    beforeAll(async () => {
      machine = await openReleaseNode(suite);
    }, BOOT_TIMEOUT_MS);

    afterAll(() => machine?.end());

    const prepare = (text: string): Promise<unknown> => machine.node.script(`set -e\n${text}`);

    /** Facts of a reading in which nothing is damaged. */
    async function facts(source: SourceDefinition, minor = 0): Promise<unknown> {
      const reading = await source.read(machine.host, { minor, jobId: 0 });
      expect(reading).toMatchObject({ state: "ok", damaged: [] });
      return reading.state === "ok" ? reading.facts.value : undefined;
    }

    test("lvs, vgs and pvs say what lvcreate --snapshot made", async () => {
      await prepare("lvcreate --quiet -y -n 1-2.disk0_data -L 16M kvmvg");
      for (const command of sampled("snapshotVolume")) await machine.done(command);
      expect(await facts(lvm())).toMatchObject({
        logicalVolumes: expect.arrayContaining([
          expect.objectContaining({
            lvName: "vigie-r-7",
            attr: expect.stringMatching(/^swi-a/),
            origin: "1-2.disk0_data",
          }),
        ]),
        volumeGroups: [{ vgName: "kvmvg" }],
        physicalVolumes: [{ pvName: "/dev/sda", vgName: "kvmvg" }],
        warnings: [],
      });
    });

    test("dmsetup shows a map and takes it away", async () => {
      const [, command] = sampled("removeVolumeMaps");
      const name = command?.args.at(-1) ?? "";
      await prepare(`dmsetup create ${name} --table '0 8 zero'`);
      expect(await facts(deviceMapper())).toMatchObject({
        devices: expect.arrayContaining([expect.objectContaining({ name, targets: ["zero"], openCount: 0 })]),
      });
      if (command !== undefined) await machine.done(command);
      expect(JSON.stringify(await facts(deviceMapper()))).not.toContain(name);
    });

    test("a blank disk gets one partition with our mark, becomes a physical volume, and joins a group", async () => {
      const name = await plugDisk(machine.node);
      const device = `/dev/${name}`;
      await prepare(`sed -i 's/sd\\[a-z\\]+/sd[a-z]+[0-9]*/' /etc/lvm/lvmlocal.conf`);
      expect(parseWipefs((await machine.done(wipefs(device))).stdout)).toEqual([]);
      await machine.host.claim(device);
      await expect(machine.host.claim("/dev/sda")).rejects.toMatchObject({ code: "EBUSY" }); // kvmvg's
      const blank = await machine.host.run(tableIdOf(device));
      expect([blank.end, blank.stdout.trim()]).toEqual(["exited", ""]);

      const mark = "0x1234abcd";
      await machine.done(onePartition(device, "dos", mark));
      expect(parseTableId((await machine.done(tableIdOf(device))).stdout)).toBe(mark);
      const [, settle, pvcreate, vgextend] = sampled("adoptDisk").map((command) =>
        renamed(command, "sdb", name),
      );
      for (const command of [settle, pvcreate, vgextend])
        if (command !== undefined) await machine.done(command);
      expect(parseWipefs((await machine.done(wipefs(`${device}1`))).stdout)).toEqual([
        expect.stringMatching(/^LVM2_member at /),
      ]);
      expect(await facts(lvm())).toMatchObject({
        physicalVolumes: expect.arrayContaining([
          expect.objectContaining({ pvName: `${device}1`, vgName: "kvmvg" }),
        ]),
      });
    });

    test("a whole disk becomes a new group's, and a larger one gets a GPT", async () => {
      const device = "/dev/sdb";
      await prepare(`vgreduce --quiet kvmvg ${device}1; pvremove --quiet ${device}1; wipefs -qa ${device}`);
      const uuid = "a3f1c1d8-6a55-4c6e-8f0e-0a2f5c8f9b11";
      await machine.done(onePartition(device, "gpt", uuid));
      expect(parseTableId((await machine.done(tableIdOf(device))).stdout)).toBe(uuid);
      await prepare(`wipefs -qa ${device}`);
      const [pvcreate, , vgcreate] = sampled("adoptDisk", 2);
      for (const command of [pvcreate, vgcreate])
        if (command !== undefined) await machine.done(renamed(command, "kvmvg", "spare"));
      expect(await facts(lvm())).toMatchObject({
        volumeGroups: expect.arrayContaining([expect.objectContaining({ vgName: "spare" })]),
      });
    });

    test("smartctl asks a SCSI disk", async () => {
      expect(await facts(smart())).toHaveProperty("disks");
    });

    test("a minor is shown, gives its peer, its data and its disk up, and goes", async () => {
      const { minor, port, localAddress, peerAddress } = END;
      await prepare(`
ip address add ${localAddress}/24 dev eth0
for part in data:32M meta:128M; do lvcreate --quiet -y -W n -n drbd-\${part%:*} -L \${part#*:} kvmvg; done
drbdmeta --force ${minor} v08 /dev/kvmvg/drbd-meta flex-external create-md
drbdsetup new-resource resource${minor}
drbdsetup new-minor resource${minor} ${minor} 0
drbdsetup attach ${minor} /dev/kvmvg/drbd-data /dev/kvmvg/drbd-meta flexible
drbdsetup connect resource${minor} ipv4:${localAddress}:${port} ipv4:${peerAddress}:${port} --protocol C
drbdsetup primary ${minor} --force`);
      expect(await facts(drbdConfig())).toMatchObject({
        resources: [
          { minor, localAddress, peerAddress, localPort: port, backingDevice: "/dev/kvmvg/drbd-data" },
        ],
      });
      expect(await facts(drbdGenerations, minor)).toMatchObject({ minor });
      expect(await facts(procDrbd())).toMatchObject({ minors: [{ minor }] });

      for (const action of ["discardVictim", "detachMinor", "downMinor"] as const)
        for (const command of sampled(action)) await machine.done(command);
      expect(await facts(procDrbd())).toMatchObject({ minors: [] });
    });

    test("drbdsetup says that it has no JSON, or gives it", async () => {
      const { end, exitCode } = await machine.host.run({
        file: "/usr/sbin/drbdsetup",
        args: ["status", "--json"],
        timeoutMs: 1_500,
      });
      expect([end, exitCode]).toEqual(["exited", expect.any(Number)]);
    });

    test("kpartx takes the maps of a guest's partitions away", async () => {
      const [command] = sampled("unmapPartitions");
      await prepare(`
printf 'label: dos\\n,2M\\n' | sfdisk --quiet --no-reread --no-tell-kernel /dev/kvmvg/drbd-data
ln -sf /dev/kvmvg/drbd-data ${command?.args.at(-1) ?? ""}
kpartx -as /dev/kvmvg/drbd-data`);
      expect(JSON.stringify(await facts(deviceMapper()))).toContain("part1-");
      if (command !== undefined) await machine.done(command);
      expect(JSON.stringify(await facts(deviceMapper()))).not.toContain("part1-");
    });

    describe("gnt-* understands", () => {
      const replace = (mode: ReplaceMode, newSecondary: string, ...disks: number[]): GanetiJobKind => ({
        $case: "replaceDisks",
        value: { instance: "web1.example", mode, newSecondary, disks },
      });
      const jobs: readonly GanetiJobKind[] = [
        { $case: "migrateInstance", value: { instance: "web1.example", cleanup: false } },
        { $case: "migrateInstance", value: { instance: "web1.example", cleanup: true } },
        { $case: "failoverInstance", value: { instance: "web1.example" } },
        replace(ReplaceMode.ON_PRIMARY, "", 0),
        replace(ReplaceMode.ON_SECONDARY, "", 0, 2),
        replace(ReplaceMode.NEW_SECONDARY, "h3.example"),
        replace(ReplaceMode.ALLOCATOR, ""),
        { $case: "activateDisks", value: { instance: "web1.example" } },
        ...[NodeChangeKind.OFFLINE, NodeChangeKind.ONLINE, NodeChangeKind.DRAIN, NodeChangeKind.UNDRAIN].map(
          (change) => ({ $case: "modifyNode" as const, value: { node: "h3.example", change } }),
        ),
        { $case: "setAllocatable", value: { node: "h3.example", pvName: "/dev/sda", allocatable: false } },
      ];
      const commands = [
        ...jobs.map((job) => submitCommand(job, "vigie:r-7:go")),
        ...(["killMigrationJob", "pauseWatcher", "continueWatcher", "readdNode"] as const).flatMap((action) =>
          sampled(action),
        ),
        LIST_NODES,
        LIST_INSTANCES,
        LIST_JOBS,
      ];

      test.each(commands.map((command) => [[command.file, ...command.args].join(" "), command] as const))(
        "%s",
        async (_line, command) => {
          const { stdout, stderr } = await machine.host.run({ ...command, timeoutMs: 30_000 });
          expect(stdout + stderr).toMatch(NO_CLUSTER);
        },
      );

      test("not what it does not know", async () => {
        const unknown = {
          file: "/usr/sbin/gnt-instance",
          args: ["migrate", "--sideways", "web1"],
          timeoutMs: 30_000,
        };
        const { stdout, stderr } = await machine.host.run(unknown);
        expect(stdout + stderr).not.toMatch(NO_CLUSTER);
      });
    });

    test("hbal understands its options, and finds no master to ask", async () => {
      for (const command of sampled("rebalance")) {
        const { exitCode, stderr } = await machine.host.run(command);
        expect([exitCode, stderr]).toEqual([1, expect.stringContaining("failed to load data")]);
      }
    });

    test("service restarts Ganeti's daemons", async () => {
      for (const command of sampled("restartGaneti")) await machine.done(command);
    });

    test("ledctl knows both words, and says that no slot has a light", async () => {
      for (const command of [...sampled("locateDisk", 0), ...sampled("locateDisk", 1)]) {
        const { end, stdout, stderr } = await machine.host.run(renamed(command, "sdb", "sda"));
        expect([end, stdout + stderr]).toEqual([
          "exited",
          expect.not.stringMatching(/unknown|invalid|usage/i),
        ]);
      }
    });

    test("systemd-notify tells systemd that the agent lives", async () => {
      const { host } = machine;
      const once = new AbortController();
      const outcomes: CommandOutcome[] = [];
      const run = async (command: Command): Promise<CommandOutcome> => {
        once.abort();
        outcomes.push(await host.run(command));
        return outcomes[0] as CommandOutcome;
      };
      await beat({ ...host, run }, "/run/systemd/notify", once.signal);
      expect(outcomes).toMatchObject([{ end: "exited", exitCode: 0, stderr: "" }]);
    });

    /** The last: what is started somewhere in the agent and by no test above has never been tried. */
    test("no program that the agent knows was left out", () => {
      const tried = [...machine.started, ...NOT_TRIED.keys(), ...FIREWALL];
      expect(programsOfTheAgent().filter((program) => !tried.includes(program))).toEqual([]);
    });
  },
);

const FIREWALL = ["/usr/bin/ss", "/usr/sbin/iptables", "/usr/sbin/ip6tables"]; // firewall.test.ts

/** What an action of this kind runs, with the parameters of one of the agent's own samples. */
function sampled(kind: RequestedAction["$case"], index = 0): Command[] {
  const action = { $case: kind, value: SAMPLES[kind][index]?.[0] } as RequestedAction;
  return actionCommands(action, ASKER).map(([file = "", ...args]) => ({ file, args, timeoutMs: 30_000 }));
}

function renamed(command: Command, from: string, to: string): Command {
  return { ...command, args: command.args.map((word) => word.replaceAll(from, to)) };
}

/** Absolute paths in the agent's source. */
function programsOfTheAgent(): readonly string[] {
  const root = join(import.meta.dirname, "../../../agent/src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(?<!test)\.ts$/.test(path),
  );
  const texts = files.map((path) => readFileSync(join(root, path), "utf8"));
  const paths = texts.flatMap((text) =>
    [...text.matchAll(/"(\/(?:usr\/)?s?bin\/[\w.-]+)"/g)].map(([, path = ""]) => path),
  );
  return [...new Set(paths)].toSorted();
}
