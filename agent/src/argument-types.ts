/**
 * The types of what may reach an argv (I36): a crafted name must not become an option, a path or another address.
 * Each action says which of its values is what; a value that is not so refuses the request.
 */
import { BlockList, isIP, SocketAddress } from "node:net";
import { VigieError, type DiskIdentity, type DrbdEnd } from "@vigie/proto";
import { HOST_NAME } from "./names.js";

const LV = /^(?!\.\.?\/)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*\/(?!\.\.?$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/;
const LVM_NAME = /^(?!\.\.?$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/; // lvm(8), valid names: of a group or a volume
const LVM_UUID = /^[A-Za-z0-9]{6}(?:-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}$/;
const MAP_NAME = /^(?!\.\.?$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/; // as device-mapper prints it, without escapes
const MAP_UUID = /^LVM-[A-Za-z0-9]{32}[A-Za-z0-9]{32}(?:-[a-z]{1,16})?$/; // of the group, of the volume, its layer
const DISK_NAME = /^[A-Za-z][A-Za-z0-9!_]{0,31}$/; // of a whole disk in /sys/block
const DEVICE_PATH = /^\/dev\/(?:[A-Za-z0-9_][A-Za-z0-9_.:+-]*\/){0,3}[A-Za-z0-9_][A-Za-z0-9_.:+-]*$/;
const DEV = /^\d{1,7}:\d{1,7}$/;
const GENERATION = /^[0-9A-F]{16}$/;
const BOOT_ID = /^[A-Za-z0-9-]{1,64}$/;
const PORT_MIN = 1024; // never a system service's port: ssh, noded (I18)
const NODED_PORT = 1811;
const MINOR_MAX = 2 ** 20 - 1;

/** Addresses that are no other host's. */
const NOBODYS = new BlockList();
NOBODYS.addSubnet("0.0.0.0", 8);
NOBODYS.addSubnet("127.0.0.0", 8);
NOBODYS.addSubnet("224.0.0.0", 3); // multicast, reserved, broadcast
NOBODYS.addSubnet("::", 127, "ipv6");
NOBODYS.addSubnet("ff00::", 8, "ipv6");

/** @throws VigieError INVALID_ARGUMENT naming the value */
export function must(holds: boolean, what: string, value: string | number): void {
  if (!holds) throw new VigieError("INVALID_ARGUMENT", `the ${what} is not valid: ${JSON.stringify(value)}`);
}

/** Of a node or an instance, as Ganeti writes them. */
export function checkHostName(name: string, what: string): void {
  must(HOST_NAME.test(name), what, name);
}

export function checkEnd(end: DrbdEnd | undefined): asserts end is DrbdEnd {
  if (end === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no DRBD end");
  checkHostName(end.instance, "instance");
  checkHostName(end.node, "node");
  checkHostName(end.peerNode, "peer node");
  checkMinor(end.minor, "minor");
  checkMinor(end.peerMinor, "peer's minor");
  must(isHostAddress(end.localAddress), "own address", end.localAddress);
  must(isHostAddress(end.peerAddress), "peer address", end.peerAddress);
  must(end.peerAddress !== end.localAddress, "peer address", `${end.peerAddress}, which is this node's own`);
  must(
    Number.isInteger(end.port) && end.port >= PORT_MIN && end.port <= 65_535 && end.port !== NODED_PORT,
    "port",
    end.port,
  );
  must(LV.test(end.dataLv), "data volume", end.dataLv);
}

function checkMinor(minor: number, what: string): void {
  checkWhole(minor, 0, MINOR_MAX, what);
}

/** Texts that a disk tells of itself are compared and never run; what names it is of its type. */
export function checkDisk(disk: DiskIdentity | undefined): asserts disk is DiskIdentity {
  if (disk === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no disk");
  checkHostName(disk.node, "node");
  must(BOOT_ID.test(disk.bootId), "boot", disk.bootId);
  must(DISK_NAME.test(disk.name), "disk", disk.name);
  must(DEV.test(disk.dev), "device number", disk.dev);
  must(disk.pvName === "" || DEVICE_PATH.test(disk.pvName), "physical volume", disk.pvName);
  must(disk.pvUuid === "" || LVM_UUID.test(disk.pvUuid), "physical volume's UUID", disk.pvUuid);
  must(disk.vgName === "" || LVM_NAME.test(disk.vgName), "volume group", disk.vgName);
  must(disk.vgUuid === "" || LVM_UUID.test(disk.vgUuid), "volume group's UUID", disk.vgUuid);
}

export function checkDevicePath(path: string, what: string): void {
  must(DEVICE_PATH.test(path) && !path.split("/").includes(".."), what, path);
}

export function checkLvmName(name: string, what: string): void {
  must(LVM_NAME.test(name), what, name);
}

export function checkMap(name: string, uuid: string): void {
  must(MAP_NAME.test(name), "map", name);
  must(MAP_UUID.test(uuid), "map's UUID", uuid);
}

export function checkGeneration(uuid: string, what: string): void {
  must(GENERATION.test(uuid), what, uuid);
}

export function checkWhole(value: number, min: number, max: number, what: string): void {
  must(Number.isSafeInteger(value) && value >= min && value <= max, what, value);
}

/** Of one host, and spelt as the kernel spells it: what was cut by another spelling would not be found again. */
function isHostAddress(text: string): boolean {
  const family = isIP(text) === 6 ? "ipv6" : "ipv4";
  if (isIP(text) === 0 || text.startsWith("::ffff:") || text.includes("%")) return false;
  return new SocketAddress({ address: text, family }).address === text && !NOBODYS.check(text, family);
}
