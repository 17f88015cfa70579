/** What the tests of actions share: parameters of each with every name in its place, and the lines that they run. */
import { AdoptDisk, DiskIdentity, DrbdEnd, NodeChangeKind, ReplaceMode, VolumeMap } from "@vigie/proto";
import { whole } from "../guards/testing.js";
import { ownMark } from "../own-mark.js";
import type { ParamsOf, RequestedAction } from "./action.js";

export const END: DrbdEnd = DrbdEnd.create(whole().end);

export const VG_UUID = "H49c7m-uZxO-5HuU-5coV-eHvU-EkkK-8Glyjg";

export const SAMPLE_DISK: DiskIdentity = DiskIdentity.create({
  node: "h1.example",
  bootId: "boot-1",
  name: "sdb",
  dev: "8:16",
  wwid: "t10.ATA X",
  serial: "S1",
  model: "X",
  sizeBytes: 512 * 1024,
  scsiAddress: "1:0:0:0",
  pvUuid: "Abcdef-1234-1234-1234-1234-1234-abcdef",
  pvName: "/dev/sdb1",
  vgName: "kvmvg",
  vgUuid: VG_UUID,
});

export const MAP: VolumeMap = VolumeMap.create({
  name: "kvmvg-1--2.disk0_data",
  uuid: `LVM-${VG_UUID.replaceAll("-", "")}${"a".repeat(32)}`,
});

export const ASKER = { runId: "r-7", stepId: "go" };
const OWN_PV = ownMark(AdoptDisk.create({}), ASKER.runId, ASKER.stepId).pvUuid;
const V6: DrbdEnd = { ...END, localAddress: "fd00::1", peerAddress: "fd00::2" };
const BIG: DiskIdentity = { ...SAMPLE_DISK, name: "nvme0n1", sizeBytes: 2 ** 42 };
const { report } = whole();
const CHOSEN = { currentUuid: "CC8CB4269847333F", survivorUuid: "A876B5BE329C3969" };

type Sample = {
  readonly [C in RequestedAction["$case"]]: readonly (readonly [ParamsOf<C>, readonly string[]])[];
};

const RECENT = "-m recent --name vigie-cut,10.0.0.2,11018,30,r-7 --rcheck --seconds 30";
const RULE = "/usr/sbin/iptables -w 3 -A VIGIE-CUT-11018";
const RESET = "-j REJECT --reject-with tcp-reset";

/** Parameters of each action, and the lines that it runs. */
export const SAMPLES: Sample = {
  cutDrbdLink: [
    [
      { end: END, ttlS: 30, minStillMs: 5_000, peer: report, migrateJobId: 0 },
      [
        "/usr/sbin/iptables -w 3 -N VIGIE-CUT-11018",
        "/usr/sbin/iptables -w 3 -F VIGIE-CUT-11018",
        `${RULE} -s 10.0.0.2 -p tcp --dport 11018 --syn ${RECENT} --rsource -j DROP`,
        `${RULE} -d 10.0.0.2 -p tcp --dport 11018 --syn ${RECENT} --rdest -j DROP`,
        `${RULE} -s 10.0.0.2 -p tcp --dport 11018 --tcp-flags RST NONE ${RECENT} --rsource ${RESET}`,
        `${RULE} -d 10.0.0.2 -p tcp --dport 11018 --tcp-flags RST NONE ${RECENT} --rdest ${RESET}`,
        `${RULE} -s 10.0.0.2 -p tcp --sport 11018 --tcp-flags RST NONE ${RECENT} --rsource ${RESET}`,
        `${RULE} -d 10.0.0.2 -p tcp --sport 11018 --tcp-flags RST NONE ${RECENT} --rdest ${RESET}`,
        ...["INPUT", "OUTPUT"].flatMap((hook) => [
          `/usr/sbin/iptables -w 3 -D ${hook} -j VIGIE-CUT-11018`,
          `/usr/sbin/iptables -w 3 -I ${hook} 1 -j VIGIE-CUT-11018`,
        ]),
        "echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,11018,30,r-7",
        "/usr/bin/ss -K -n -H -t dst 10.0.0.2 and ( sport = :11018 or dport = :11018 )",
      ],
    ],
  ],
  restoreDrbdLink: [
    [
      { end: END },
      [
        "/usr/sbin/iptables -w 3 -F VIGIE-CUT-11018",
        "/usr/sbin/iptables -w 3 -D INPUT -j VIGIE-CUT-11018",
        "/usr/sbin/iptables -w 3 -D OUTPUT -j VIGIE-CUT-11018",
        "/usr/sbin/iptables -w 3 -X VIGIE-CUT-11018",
      ],
    ],
  ],
  submitGanetiJob: [
    [
      {
        job: {
          $case: "replaceDisks",
          value: { instance: "web1.example", mode: ReplaceMode.ALLOCATOR, newSecondary: "", disks: [] },
        },
        place: undefined,
      },
      [
        "/usr/sbin/gnt-instance replace-disks -I hail --submit --print-jobid --reason=vigie:r-7:go web1.example",
      ],
    ],
    [
      {
        job: { $case: "modifyNode", value: { node: "h3.example", change: NodeChangeKind.DRAIN } },
        place: undefined,
      },
      [
        "/usr/sbin/gnt-node modify -D yes --auto-promote --submit --print-jobid --reason=vigie:r-7:go h3.example",
      ],
    ],
  ],
  killMigrationJob: [
    [{ jobId: 18, instance: "web1.example" }, ["/usr/sbin/gnt-job cancel --kill --yes-do-it -f 18"]],
  ],
  restartGaneti: [[{ jobId: 18, instance: "web1.example" }, ["/usr/sbin/service ganeti restart"]]],
  pauseWatcher: [[{ forS: 3_600 }, ["/usr/sbin/gnt-cluster watcher pause 3600s"]]],
  continueWatcher: [[{}, ["/usr/sbin/gnt-cluster watcher continue"]]],
  readdNode: [[{ node: "h3.example" }, ["/usr/sbin/gnt-node add --readd --no-ssh-key-check h3.example"]]],
  rebalance: [[{}, ["/usr/bin/hbal -L -X --no-disk-moves --reason=vigie:r-7:go"]]],
  detachMinor: [[{ end: END, peer: report }, ["/usr/sbin/drbdsetup detach 18"]]],
  setDiskOffline: [
    [{ disk: SAMPLE_DISK, minors: [END], peers: [report] }, ["echo offline > /sys/block/sdb/device/state"]],
  ],
  removeVolumeMaps: [
    [
      { disk: SAMPLE_DISK, maps: [MAP, { ...MAP, name: "kvmvg-1--2.disk0_meta" }] },
      ["/usr/sbin/dmsetup remove kvmvg-1--2.disk0_data", "/usr/sbin/dmsetup remove kvmvg-1--2.disk0_meta"],
    ],
  ],
  deleteDisk: [[{ disk: SAMPLE_DISK }, ["echo 1 > /sys/block/sdb/device/delete"]]],
  locateDisk: [
    [{ disk: SAMPLE_DISK, on: true }, ["/usr/sbin/ledctl locate=/dev/sdb"]],
    [{ disk: SAMPLE_DISK, on: false }, ["/usr/sbin/ledctl locate_off=/dev/sdb"]],
  ],
  adoptDisk: [
    [
      { disk: SAMPLE_DISK, vgName: "kvmvg", partition: true, replacesWwid: "t10.OLD" },
      [
        "/usr/sbin/sfdisk --wipe never /dev/sdb",
        "/usr/bin/udevadm settle --timeout=20",
        `/usr/sbin/pvcreate --uuid ${OWN_PV} --norestorefile /dev/sdb1`,
        "/usr/sbin/vgextend kvmvg /dev/sdb1",
        "/usr/sbin/vgcreate kvmvg /dev/sdb1",
      ],
    ],
    [
      { disk: BIG, vgName: "kvmvg", partition: true, replacesWwid: "" },
      [
        "/usr/sbin/sfdisk --wipe never /dev/nvme0n1",
        "/usr/bin/udevadm settle --timeout=20",
        `/usr/sbin/pvcreate --uuid ${OWN_PV} --norestorefile /dev/nvme0n1p1`,
        "/usr/sbin/vgextend kvmvg /dev/nvme0n1p1",
        "/usr/sbin/vgcreate kvmvg /dev/nvme0n1p1",
      ],
    ],
    [
      { disk: SAMPLE_DISK, vgName: "kvmvg", partition: false, replacesWwid: "" },
      [
        `/usr/sbin/pvcreate --uuid ${OWN_PV} --norestorefile /dev/sdb`,
        "/usr/sbin/vgextend kvmvg /dev/sdb",
        "/usr/sbin/vgcreate kvmvg /dev/sdb",
      ],
    ],
  ],
  unmapPartitions: [[{ end: END }, ["/usr/sbin/kpartx -d /dev/drbd18"]]],
  downMinor: [[{ end: END, instanceStopped: true }, ["/usr/sbin/drbdsetup down resource18"]]],
  snapshotVolume: [
    [
      { end: END, snapshotName: "vigie-r-7", sizeKib: 65_536 },
      ["/usr/sbin/lvcreate --snapshot --name vigie-r-7 --size 65536k kvmvg/1-2.disk0_data"],
    ],
  ],
  discardVictim: [
    [
      { end: END, typedNode: "h1.example", ...CHOSEN, peer: report, snapshotName: "" },
      [
        "/usr/sbin/drbdsetup secondary 18",
        "/usr/sbin/drbdsetup disconnect ipv4:10.0.0.1:11018 ipv4:10.0.0.2:11018",
        "/usr/sbin/drbdsetup invalidate 18",
      ],
    ],
    [
      { end: V6, typedNode: "h1.example", ...CHOSEN, peer: report, snapshotName: "" },
      [
        "/usr/sbin/drbdsetup secondary 18",
        "/usr/sbin/drbdsetup disconnect ipv6:[fd00::1]:11018 ipv6:[fd00::2]:11018",
        "/usr/sbin/drbdsetup invalidate 18",
      ],
    ],
  ],
};

export const EVERY_SAMPLE: readonly [RequestedAction, readonly string[]][] = Object.entries(SAMPLES).flatMap(
  ([$case, samples]) =>
    samples.map(([value, lines]): [RequestedAction, readonly string[]] => [
      { $case, value } as RequestedAction,
      lines,
    ]),
);
