/** The sources of a node that say the same every time: its disks, volumes, DRBD's configuration, its mounts. */
import {
  BlockDevice,
  DeviceMapperDevice,
  DrbdConfig,
  LogicalVolume,
  Source,
  SourceReport,
  SourceState,
} from "@vigie/proto";
import { addressOf, MINORS_PER_NODE } from "./big-cluster.js";

const VOLUMES = 2 * MINORS_PER_NODE; // data and meta of each

export function restingSources(index: number): SourceReport[] {
  const facts: readonly (readonly [Source, NonNullable<SourceReport["facts"]>])[] = [
    [
      Source.DRBD_CONFIG,
      { $case: "drbdConfig", value: { resources: times(MINORS_PER_NODE, configOf(index)) } },
    ],
    [
      Source.LVM,
      {
        $case: "lvm",
        value: {
          logicalVolumes: times(VOLUMES, volumeOf),
          volumeGroups: [],
          physicalVolumes: [],
          warnings: [],
        },
      },
    ],
    [
      Source.BLOCK_DEVICES,
      {
        $case: "blockDevices",
        value: { devices: [...times(2, diskOf), ...times(MINORS_PER_NODE, drbdOf), ...times(VOLUMES, dmOf)] },
      },
    ],
    [Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices: times(VOLUMES, mapOf) } }],
    [
      Source.MOUNTS,
      {
        $case: "mounts",
        value: { mounts: [{ device: "/dev/md0", mountPoint: "/", type: "ext4", readOnly: false }] },
      },
    ],
    [Source.KERNEL_LOG, { $case: "kernelLog", value: { lines: [], diskErrors: [], drbdReasons: [] } }],
    [
      Source.LINK_CUTS,
      { $case: "linkCuts", value: { cuts: [], backend: "iptables-nft", destroysSockets: true } },
    ],
  ];
  return facts.map(([source, value]) => SourceReport.create({ source, state: SourceState.OK, facts: value }));
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

function volumeName(n: number): string {
  return `${(n >> 1).toString(16).padStart(8, "0")}-08f1-4a3d-b7dc-c5b81f07454f.disk0_${n % 2 === 0 ? "data" : "meta"}`;
}

function configOf(index: number): (minor: number) => DrbdConfig {
  return (minor) =>
    DrbdConfig.create({
      resource: `resource${minor}`,
      minor,
      backingDevice: `/dev/kvmvg/${volumeName(2 * minor)}`,
      metaDevice: `/dev/kvmvg/${volumeName(2 * minor + 1)}`,
      localAddress: addressOf(index),
      localPort: 11_000 + minor,
      peerAddress: addressOf(index + 1),
      peerPort: 11_000 + minor,
      protocol: "C",
      pingIntervalS: 10,
      pingTimeoutDs: 5,
      timeoutDs: 60,
      koCount: 7,
    });
}

function volumeOf(n: number): LogicalVolume {
  const sizeBytes = 21_474_836_480;
  return LogicalVolume.create({
    vgName: "kvmvg",
    lvName: volumeName(n),
    uuid: "50bmP6-JrcK-JQqt-338Z-1BJ2-BPWE-w6Ea4E",
    attr: "-wi-ao----",
    sizeBytes,
    segments: [{ type: "linear", sizeBytes, devices: [`/dev/sda(${n * 5000})`] }],
  });
}

function diskOf(n: number): BlockDevice {
  return BlockDevice.create({
    name: `sd${"ab"[n] ?? "c"}`,
    dev: `8:${16 * n}`,
    sizeBytes: 4_000_787_030_016,
    state: "running",
    wwid: `naa.5000c500a1b2c3d${n}`,
    serial: `ZC1${n}`,
    model: "ST4000NM0035",
    scsiAddress: `${n}:0:0:0`,
    rotational: true,
    ioErrors: 1,
    ioDone: 1511,
  });
}

function drbdOf(n: number): BlockDevice {
  return BlockDevice.create({ name: `drbd${n}`, dev: `147:${n}`, sizeBytes: 21_474_836_480 });
}

function dmOf(n: number): BlockDevice {
  return BlockDevice.create({
    name: `dm-${n}`,
    dev: `253:${n}`,
    sizeBytes: 21_474_836_480,
    holders: [`drbd${n >> 1}`],
  });
}

function mapOf(n: number): DeviceMapperDevice {
  return DeviceMapperDevice.create({
    name: `kvmvg-${volumeName(n).replaceAll("-", "--")}`,
    uuid: "LVM-DjbOBZy3dHFjCb3CnVztR2Qvb5oePaS950bmP6JrcKJQqt338Z1BJ2BPWEw6Ea4E",
    major: 253,
    minor: n,
    openCount: 1,
    dependsOn: ["8:0"],
    targets: ["linear"],
  });
}
