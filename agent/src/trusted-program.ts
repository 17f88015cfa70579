/**
 * May this program be run as root (I36)? Only one that nobody but root can have put there: it, every folder and every
 * link on the way to it are root's, and no file or folder of them may be written to by its group or by others. Looked
 * at before each start: some ten questions to the kernel's memory, a hundredth of what the start itself costs. And
 * what only root can change, nobody else changes between the look and the start.
 */
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join } from "node:path/posix";
import { explain } from "@vigie/proto";
import { errorCode } from "./sources/reading.js";

const WRITABLE_BY_OTHERS = 0o022;
const LINKS_MAX = 40; // as the kernel follows

export interface ProgramFiles {
  readonly lstat: (path: string) => Pick<Stats, "uid" | "mode" | "isSymbolicLink" | "isDirectory" | "isFile">;
  readonly readlink: (path: string) => string;
}

const REAL: ProgramFiles = { lstat: lstatSync, readlink: (path) => readlinkSync(path) };

/** @returns empty: it may be run, or is not there, which its start will tell; else which part of its path is whose */
export function whyNotTrusted(file: string, files: ProgramFiles = REAL): string {
  try {
    return problemOnTheWay(file, files);
  } catch (error) {
    return ["ENOENT", "ENOTDIR"].includes(errorCode(error)) ? "" : `${file}: ${explain(error)}`;
  }
}

function problemOnTheWay(file: string, { lstat, readlink }: ProgramFiles): string {
  if (!file.startsWith("/")) return `${file} is not an absolute path`;
  const ahead = file.split("/"); // begins with an empty name: the root itself is looked at, too
  let at = "/";
  for (let links = 0; links <= LINKS_MAX;) {
    const name = ahead.shift();
    if (name === undefined) return lstat(at).isFile() ? "" : `${at} is no file`;
    const path = stepInto(at, name);
    const found = lstat(path);
    const problem = problemOf(path, found);
    if (problem !== "") return problem;
    if (found.isSymbolicLink()) {
      links += 1;
      const target = readlink(path);
      if (target.startsWith("/")) at = "/";
      ahead.unshift(...target.split("/"));
    } else at = path;
  }
  return `${file} is behind too many links`;
}

/** `at` is a folder without links in it, so that ".." is the folder above. */
function stepInto(at: string, name: string): string {
  if (name === "..") return dirname(at);
  return name === "" || name === "." ? at : join(at, name);
}

/** A link's own mode says nothing: its folder says who may change it. */
function problemOf(path: string, found: ReturnType<ProgramFiles["lstat"]>): string {
  if (found.uid !== 0) return `${path} is of user ${found.uid}, not of root`;
  if (found.isSymbolicLink() || (found.mode & WRITABLE_BY_OTHERS) === 0) return "";
  return `${path} may be written to by others (mode ${(found.mode & 0o7777).toString(8)})`;
}
