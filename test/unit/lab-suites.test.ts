/** The lab's nodes run a Debian release of their own, whatever the host is. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { wantedSuite } from "../lab/host/suite.js";
import { librariesOf } from "../lab/recipe/kernel-root.js";
import { sourcesOf } from "../lab/recipe/sources.js";

afterEach(() => vi.unstubAllEnvs());

describe("the packages of a release come from the host's own mirrors", () => {
  const targets = [
    "http://mirror.example/debian/ bookworm main Debian",
    "http://mirror.example/debian/ bookworm contrib Debian",
    "http://mirror.example/debian/ bookworm-updates main Debian",
    "http://mirror.example/debian/ bookworm-backports main Debian",
    "http://mirror.example/debian-security/ bookworm-security main Debian",
    "http://other.example/apt stable main Others",
    "",
  ].join("\n");

  test("with the other release's name in place of the host's, and without backports and strangers", () => {
    expect(sourcesOf("trixie", targets, false)).toEqual([
      "deb http://mirror.example/debian/ trixie main",
      "deb http://mirror.example/debian/ trixie-updates main",
      "deb http://mirror.example/debian-security/ trixie-security main",
    ]);
  });

  test("also where the host calls its release stable, or follows sid", () => {
    const line = (release: string): string => `http://mirror.example/debian/ ${release} main Debian`;
    expect(sourcesOf("bookworm", line("stable"), false)).toEqual([
      "deb http://mirror.example/debian/ bookworm main",
    ]);
    expect(sourcesOf("bookworm", `${line("sid")}\n${line("unstable")}`, false)).toHaveLength(1);
  });

  test("signed by Debian's keys, where the host has them", () => {
    expect(sourcesOf("trixie", targets, true)[0]).toMatch(/^deb \[signed-by=\/\S+\.gpg\] http/);
  });
});

test("the kernel takes its libraries and its loader along, and nothing that the host's kernel brings", () => {
  const ldd = `\tlinux-vdso.so.1 (0x00007f60323af000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f60321bc000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f60323b1000)\n`;
  expect(librariesOf(ldd)).toEqual(["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
});

describe("the release", () => {
  test("that is said goes before the environment's, and that before the host's", () => {
    vi.stubEnv("VIGIE_LAB_SUITE", "bookworm");
    expect(wantedSuite("trixie")).toBe("trixie");
    expect(wantedSuite()).toBe("bookworm");
  });

  test("that the lab does not know is refused, with those that it knows", () => {
    expect(() => wantedSuite("jammy")).toThrow(
      'the lab knows no Debian release "jammy": say --suite bookworm or --suite trixie, or set VIGIE_LAB_SUITE.',
    );
  });
});
