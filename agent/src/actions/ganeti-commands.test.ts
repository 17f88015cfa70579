/** The gnt-* command lines, written out, and the table of which flags they may carry (I5). */
import { NodeChangeKind, ReplaceMode } from "@vigie/proto";
import { expect, test } from "vitest";
import { stepArgv, type RequestedAction } from "./action.js";
import {
  continueWatcherNow,
  killJob,
  pauseWatcherFor,
  submitCommand,
  type GanetiJobKind,
} from "./ganeti-commands.js";
import { submitGanetiJob } from "./submit-ganeti-job.js";

const replace = (mode: ReplaceMode, newSecondary = "", disks: number[] = []): GanetiJobKind => ({
  $case: "replaceDisks",
  value: { instance: "web1.example", mode, newSecondary, disks },
});
const modify = (change: NodeChangeKind): GanetiJobKind => ({
  $case: "modifyNode",
  value: { node: "h3.example", change },
});
const migrate = (cleanup: boolean): GanetiJobKind => ({
  $case: "migrateInstance",
  value: { instance: "web1.example", cleanup },
});
const allocatable = (yes: boolean): GanetiJobKind => ({
  $case: "setAllocatable",
  value: { node: "h3.example", pvName: "/dev/sdb1", allocatable: yes },
});

const QUEUED = "--submit --print-jobid --reason=vigie:r-7:go";

export const COMMAND_LINES: readonly (readonly [GanetiJobKind, string])[] = [
  [migrate(false), `/usr/sbin/gnt-instance migrate -f ${QUEUED} web1.example`],
  [migrate(true), `/usr/sbin/gnt-instance migrate -f --cleanup ${QUEUED} web1.example`],
  [
    { $case: "failoverInstance", value: { instance: "web1.example" } },
    `/usr/sbin/gnt-instance failover -f ${QUEUED} web1.example`,
  ],
  [
    replace(ReplaceMode.ON_PRIMARY, "", [0]),
    `/usr/sbin/gnt-instance replace-disks -p --disks=0 ${QUEUED} web1.example`,
  ],
  [
    replace(ReplaceMode.ON_SECONDARY, "", [0, 2]),
    `/usr/sbin/gnt-instance replace-disks -s --disks=0,2 ${QUEUED} web1.example`,
  ],
  [
    replace(ReplaceMode.NEW_SECONDARY, "h4.example"),
    `/usr/sbin/gnt-instance replace-disks -n h4.example ${QUEUED} web1.example`,
  ],
  [replace(ReplaceMode.ALLOCATOR), `/usr/sbin/gnt-instance replace-disks -I hail ${QUEUED} web1.example`],
  [
    { $case: "activateDisks", value: { instance: "web1.example" } },
    `/usr/sbin/gnt-instance activate-disks ${QUEUED} web1.example`,
  ],
  [modify(NodeChangeKind.OFFLINE), `/usr/sbin/gnt-node modify -O yes --auto-promote ${QUEUED} h3.example`],
  [modify(NodeChangeKind.ONLINE), `/usr/sbin/gnt-node modify -f -O no ${QUEUED} h3.example`],
  [modify(NodeChangeKind.DRAIN), `/usr/sbin/gnt-node modify -D yes --auto-promote ${QUEUED} h3.example`],
  [modify(NodeChangeKind.UNDRAIN), `/usr/sbin/gnt-node modify -D no ${QUEUED} h3.example`],
  [
    allocatable(false),
    `/usr/sbin/gnt-node modify-storage --allocatable no ${QUEUED} h3.example lvm-pv /dev/sdb1`,
  ],
  [
    allocatable(true),
    `/usr/sbin/gnt-node modify-storage --allocatable yes ${QUEUED} h3.example lvm-pv /dev/sdb1`,
  ],
];

test.each(COMMAND_LINES)("$0.$case is one command line", (job, line) => {
  const { file, args } = submitCommand(job, "vigie:r-7:go");
  expect([file, ...args].join(" ")).toBe(line);
  const steps = submitGanetiJob.steps({ job, place: undefined }, { runId: "r-7", stepId: "go" });
  expect(steps.map(stepArgv)).toEqual([[file, ...args]]);
});

test("the reason, blanks and all, would be one argument", () => {
  const { args } = submitCommand(migrate(false), "a b");
  expect(args).toContain("--reason=a b");
});

test("a job is killed by its id, and with the two words that Ganeti wants", () => {
  expect(killJob(18).args).toEqual(["cancel", "--kill", "--yes-do-it", "-f", "18"]);
});

test("the watcher is paused in seconds, and goes on", () => {
  expect(pauseWatcherFor(3_600).args).toEqual(["watcher", "pause", "3600s"]);
  expect(continueWatcherNow().args).toEqual(["watcher", "continue"]);
});

/** Which flag may be in which command, and why (I5); a flag that is not here is in none. */
const FLAGS: Readonly<Record<string, RegExp>> = {
  "gnt-instance migrate": /^(?:-f|--cleanup)$/, // -f: the plan shows what would be asked
  "gnt-instance failover": /^-f$/, // likewise
  "gnt-instance replace-disks": /^(?:-[psnI]|--disks=[0-9,]+)$/, // -p and -s never without --disks
  "gnt-instance activate-disks": /^$/,
  "gnt-node modify": /^(?:-[OD]|--auto-promote|-f)$/, // -f: only with -O no, which asks whether one is sure
  "gnt-node modify-storage": /^--allocatable$/,
};
const EVERY = /^(?:--submit|--print-jobid|--reason=vigie:r-[a-z0-9-]+:[a-z0-9-]+)$/;

test("no command carries a flag that the table does not allow it", () => {
  const strange = COMMAND_LINES.flatMap(([, line]) => {
    const [program, verb, ...words] = line.replace("/usr/sbin/", "").split(" ");
    const allowed = FLAGS[`${program} ${verb}`] ?? /^$/;
    const flags = words.filter((word) => word.startsWith("-") && !EVERY.test(word));
    return flags.filter((flag) => !allowed.test(flag)).map((flag) => `${program} ${verb} ${flag}`);
  });
  expect(strange).toEqual([]);
  const forced = COMMAND_LINES.filter(([, line]) => / modify /.test(line) && / -f /.test(line));
  expect(forced.map(([, line]) => line.includes("-O no"))).toEqual([true]);
});

test("the copies of one side are never recreated without naming the disks: Ganeti would recreate all", () => {
  for (const mode of [ReplaceMode.ON_PRIMARY, ReplaceMode.ON_SECONDARY])
    expect(() => submitGanetiJob.check({ job: replace(mode), place: undefined })).toThrow("disks");
  expect(() => submitGanetiJob.check({ job: replace(ReplaceMode.AUTO), place: undefined })).toThrow("mode");
});

test("nothing ever releases the old copy early, or overrides a check of Ganeti's", () => {
  const never = /--early-release|--ignore-|--no-voting|--force|--force-join|-9/;
  expect(COMMAND_LINES.filter(([, line]) => never.test(line))).toEqual([]);
});

test("every kind of job has a command line in the table", () => {
  const kinds: Record<GanetiJobKind["$case"], true> = {
    migrateInstance: true,
    failoverInstance: true,
    replaceDisks: true,
    activateDisks: true,
    modifyNode: true,
    setAllocatable: true,
  };
  expect(new Set(COMMAND_LINES.map(([job]) => job.$case))).toEqual(new Set(Object.keys(kinds)));
  const kind: RequestedAction["$case"] = "submitGanetiJob";
  expect(submitGanetiJob.name).toBe(kind);
});
