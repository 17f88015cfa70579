/** A volume's name as LVM, device-mapper and mounts spell it. */

/** "kvmvg-a--b" → "kvmvg/a-b"; undefined: no volume, or a hidden layer of one ("kvmvg-a-real"). */
export function volumeOfMap(mapName: string): string | undefined {
  const parts = mapName.split(/(?<!-)-(?!-)/);
  if (parts.length !== 2) return undefined;
  return parts.map((part) => part.replaceAll("--", "-")).join("/");
}

/** How device files name it: "/dev/kvmvg/lv", "/dev/mapper/kvmvg-lv". */
export function pathsOfVolume(volume: string, mapName: string): string[] {
  return [`/dev/${volume}`, `/dev/mapper/${mapName}`];
}

/** The group's UUID as LVM prints it, out of a volume's in device-mapper: "LVM-" and both without their dashes. */
export function groupUuidOfMap(mapUuid: string): string {
  const parts = /^LVM-(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})/.exec(mapUuid);
  return parts === null ? "" : parts.slice(1).join("-");
}
