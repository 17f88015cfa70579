/** What the tests of actions share: one end, one disk and one map, each with every name in its place. */
import { DiskIdentity, DrbdEnd, VolumeMap } from "@vigie/proto";
import { whole } from "../guards/testing.js";

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
