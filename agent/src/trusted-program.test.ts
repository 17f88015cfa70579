import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@vigie/proto";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCommand } from "./run-command.js";
import { FUZZ_RUNS } from "./sources/testing.js";
import { whyNotTrusted, type ProgramFiles } from "./trusted-program.js";

interface Entry {
  readonly uid?: number;
  readonly mode?: number;
  readonly link?: string;
  readonly folder?: true;
}

/** As on Debian: /sbin is a link, and iptables is behind update-alternatives. */
const DEBIAN: Readonly<Record<string, Entry>> = {
  "/": { folder: true },
  "/sbin": { link: "usr/sbin" },
  "/usr": { folder: true },
  "/usr/sbin": { folder: true },
  "/usr/sbin/lvm": {},
  "/usr/sbin/lvs": { link: "lvm" },
  "/usr/sbin/up": { link: "../sbin/./lvm" },
  "/usr/sbin/round": { link: "round" },
  "/usr/sbin/iptables": { link: "/etc/alternatives/iptables" },
  "/usr/sbin/iptables-nft": {},
  "/etc": { folder: true },
  "/etc/alternatives": { folder: true },
  "/etc/alternatives/iptables": { link: "/usr/sbin/iptables-nft" },
};

function filesOf(entries: Readonly<Record<string, Entry>>): ProgramFiles {
  const entry = (path: string): Entry => {
    const found = entries[path];
    if (found === undefined) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    return found;
  };
  return {
    lstat: (path) => {
      const { uid = 0, mode = 0o755, link, folder } = entry(path);
      return {
        uid,
        mode: link === undefined ? mode : 0o777,
        isSymbolicLink: () => link !== undefined,
        isDirectory: () => folder === true,
        isFile: () => link === undefined && folder === undefined,
      };
    },
    readlink: (path) => entry(path).link ?? "",
  };
}

const why = (file: string, change: Readonly<Record<string, Entry>> = {}): string =>
  whyNotTrusted(file, filesOf({ ...DEBIAN, ...change }));

describe("a program is run as root (I36)", () => {
  test("where it and all on the way to it are root's alone, through links too", () => {
    for (const file of ["/usr/sbin/lvm", "/usr/sbin/lvs", "/sbin/lvs", "/usr/sbin/up", "/usr/sbin/iptables"])
      expect(why(file), file).toBe("");
  });

  test("and of one that is not there its start tells", () => {
    expect(why("/usr/sbin/xl")).toBe("");
    expect(why("/usr/sbin/lvm/xl")).toBe("");
  });
});

describe("a program is not run", () => {
  test("where somebody else owns it, or may write to it", () => {
    expect(why("/usr/sbin/lvs", { "/usr/sbin/lvm": { uid: 1000 } })).toBe(
      "/usr/sbin/lvm is of user 1000, not of root",
    );
    expect(why("/usr/sbin/lvs", { "/usr/sbin/lvm": { mode: 0o775 } })).toBe(
      "/usr/sbin/lvm may be written to by others (mode 775)",
    );
  });

  test("out of a folder where others may put another one, at any link of the way", () => {
    expect(why("/usr/sbin/iptables", { "/etc/alternatives": { folder: true, mode: 0o777 } })).toMatch(
      /alternatives may be written/,
    );
    expect(why("/sbin/lvs", { "/usr": { folder: true, mode: 0o1777 } })).toMatch(/^\/usr may be written/);
    expect(why("/sbin/lvs", { "/": { folder: true, uid: 7 } })).toBe("/ is of user 7, not of root");
  });

  test("where it is a link that goes round, no file, or not named whole", () => {
    expect(why("/usr/sbin/round")).toMatch(/too many links/);
    expect(why("/usr/sbin")).toMatch(/is no file/);
    expect(why("lvs")).toMatch(/absolute/);
  });

  test("where the way to it cannot be looked at", () => {
    const lstat = (): never => {
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    expect(whyNotTrusted("/usr/sbin/lvs", { ...filesOf(DEBIAN), lstat })).toMatch(/EIO/);
  });

  test("whichever part of the way it is that another user may change", () => {
    const parts = ["/", "/usr", "/usr/sbin", "/etc", "/etc/alternatives", "/usr/sbin/iptables-nft"];
    fc.assert(
      fc.property(
        fc.constantFrom(...parts),
        fc.integer({ min: 0, max: 0o7777 }),
        fc.nat(2),
        (part, mode, uid) => {
          const folder = DEBIAN[part]?.folder;
          const spoiled = { [part]: { mode, uid, ...(folder === undefined ? {} : { folder }) } };
          expect(why("/usr/sbin/iptables", spoiled) === "").toBe(uid === 0 && (mode & 0o022) === 0);
        },
      ),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe.skipIf(process.getuid?.() !== 0)("in this machine's own files, as root,", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vigie-program-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("a program that another user could have written is not started, and its refusal says why", async () => {
    mkdirSync(join(folder, "bin"));
    const file = join(folder, "bin/tool");
    writeFileSync(file, `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 });
    chownSync(file, 65_534, 65_534);
    symlinkSync(file, join(folder, "link"));
    chmodSync(folder, 0o755);
    for (const path of [file, join(folder, "link")]) {
      const outcome = await runCommand({ file: path, args: [], timeoutMs: 5_000 }, realClock.monotonicMs);
      expect(outcome).toMatchObject({ end: "not-started", stdout: "" });
      expect(outcome.stderr).toMatch(/^it is not run: .* \(I36\)$/);
      expect(outcome.stderr).not.toContain("ENOENT");
    }
  });

  test("the tools of this release are", () => {
    for (const file of ["/bin/sh", "/usr/bin/env", "/usr/sbin/blkid"]) expect(whyNotTrusted(file)).toBe("");
  });
});
