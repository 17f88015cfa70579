/** The lines at the head of /proc/drbd: the module's version, and which build it is. */
const VERSION =
  /^version: (?<version>\d+\.\d+\.\d+\S*) \((?<api>api:\d+\/proto:\d+(?:-\d+)?)\)(?: \(compat 8\.4\))?\s*$/;

// drbd_buildtag(): one of the first three; "built-in" where DRBD is part of the kernel image. Transports is DRBD 9's.
const BUILD = /^(?:GIT-hash: |srcversion: |SVN Revision: |built-in|Transports \(api:\d+\):)/;

/** @returns undefined where it is no version line */
export function parseVersion(line: string): { version: string; api: string } | undefined {
  const groups = VERSION.exec(line)?.groups;
  return groups === undefined ? undefined : { version: groups["version"] ?? "", api: groups["api"] ?? "" };
}

export function isBuildLine(line: string): boolean {
  return BUILD.test(line);
}
