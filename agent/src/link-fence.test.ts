import { describe, expect, test } from "vitest";
import type { Command } from "./host.js";
import { addCut, fenceSteps, listCuts, removeCut } from "./link-fence.js";

const V4 = { peerAddress: "10.0.0.2", port: 11_000 };
const V6 = { peerAddress: "fd00::2", port: 11_000 };
const line = ({ file, args }: Command): string => [file, ...args].join(" ");
const rules = (cut: typeof V4): string[] =>
  fenceSteps(cut)
    .map(({ run }) => line(run))
    .filter((text) => text.includes(" -A "));
const news = (cut: typeof V4): string[] =>
  fenceSteps(cut)
    .map(({ run }) => line(run))
    .filter((text) => text.includes("--syn"));

describe.each([
  ["IPv4", V4, "/usr/sbin/iptables", "vigie-cut", "inet"],
  ["IPv6", V6, "/usr/sbin/ip6tables", "vigie-cut6", "inet6"],
])("a cut of %s", (_family, cut, iptables, set, inet) => {
  test("is an entry of one peer and one TCP port that the kernel ends by itself (I17, I18)", () => {
    expect(line(addCut(cut, 30, "r-1"))).toBe(
      `/usr/sbin/ipset add ${set} ${cut.peerAddress},tcp:11000 timeout 30 comment r-1`,
    );
    expect(fenceSteps(cut).map(({ run }) => line(run))[0]).toBe(
      `/usr/sbin/ipset create ${set} hash:ip,port family ${inet} timeout 30 comment -exist`,
    );
  });

  test("refuses the peer's packets from and to the DRBD port, in both directions: four rules", () => {
    const matches = rules(cut).map(
      (text) => / (?<match>(?:src|dst),(?:src|dst)) /.exec(text)?.groups?.["match"],
    );
    expect(new Set(matches)).toEqual(new Set(["dst,dst", "dst,src", "src,dst", "src,src"]));
    expect(matches).toHaveLength(4);
    for (const text of rules(cut)) {
      expect(text.startsWith(`${iptables} -w 3 -A VIGIE-CUT -p tcp `)).toBe(true);
      expect(text).toContain(`-m set --match-set ${set} `);
      expect(text).toMatch(/ -j REJECT --reject-with tcp-reset$/);
    }
  });

  test("meets a new connection with silence, before anything is refused: two rules", () => {
    expect(news(cut)).toEqual(
      ["src,dst", "dst,dst"].map(
        (match) => `${iptables} -w 3 -I VIGIE-CUT 1 -p tcp --syn -m set --match-set ${set} ${match} -j DROP`,
      ),
    );
  });

  test("never matches a port, an address or an interface alone (I18)", () => {
    const words = fenceSteps(cut).flatMap(({ run }) => run.args);
    expect(words.filter((word) => /^(?:--dports?|--sports?|-s|-d|-i|-o)$/.test(word))).toEqual([]);
  });

  test("asks before it makes a rule, with the same words, and so makes none twice", () => {
    for (const { unless, run } of fenceSteps(cut).slice(1)) {
      if (unless === undefined) throw new Error(`${line(run)} is not asked for`);
      const asked = line(unless)
        .replace(" -S ", " -N ")
        .replace(" -C ", run.args.includes("-I") ? " -I " : " -A ");
      expect(asked).toBe(line(run).replace(/(INPUT|OUTPUT|-I VIGIE-CUT) 1 /, "$1 "));
    }
  });

  test("is removed by the same backend, also where it is not there", () => {
    expect(line(removeCut(cut))).toBe(`/usr/sbin/ipset del ${set} ${cut.peerAddress},tcp:11000 -exist`);
    expect(line(listCuts(set))).toBe(`/usr/sbin/ipset list ${set} -output save`);
  });
});
