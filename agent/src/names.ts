/**
 * Names of nodes and instances, as Ganeti allows them (lib/netutils.py, Hostname._VALID_NAME_RE), but for case. A name goes
 * into paths, argv and addresses to dial: none begins with "-" or ".", which would be an option or another folder.
 */
export const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?$/;
