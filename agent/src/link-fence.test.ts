import { isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command } from "./host.js";
import { cutOfList, fenceSteps, listOf, makeCut, openSteps, rulesOf, type TimedCut } from "./link-fence.js";

const V4 = { peerAddress: "10.0.0.2", port: 11_000, ttlS: 30, runId: "r-1" };
const V6 = { ...V4, peerAddress: "fd00::2" };
const line = ({ file, args }: Command): string => [file, ...args].join(" ");

describe.each([
  ["IPv4", V4, "/usr/sbin/iptables"],
  ["IPv6", V6, "/usr/sbin/ip6tables"],
])("a cut of %s", (_family, cut, iptables) => {
  const lines = fenceSteps(cut).map(({ run }) => line(run));

  test("is one peer put into a list of the kernel's, whose rules forget it after the cut's time (I17)", () => {
    expect(makeCut(cut)).toEqual({
      write: { text: `+${cut.peerAddress}` },
      path: `/proc/net/xt_recent/vigie-cut,${cut.peerAddress},11000,30,r-1`,
    });
    for (const words of rulesOf(cut)) {
      const rule = words.join(" ");
      const list = `-m recent --name vigie-cut,${cut.peerAddress},11000,30,r-1 --rcheck --seconds 30`;
      expect(rule).toContain(rule.startsWith("-s") ? `${list} --rsource` : `${list} --rdest`);
    }
  });

  test("names nothing that a saved firewall would miss at the next boot: no set", () => {
    expect(lines.filter((text) => /set/.test(text.replaceAll("--reject-with tcp-reset", "")))).toEqual([]);
  });

  test("refuses the peer's packets from and to the DRBD port, in both directions: four rules", () => {
    const refused = rulesOf(cut).filter((words) => words.includes("REJECT"));
    expect(refused.map((words) => `${words[0]} ${words[4]}`).toSorted()).toEqual([
      "-d --dport",
      "-d --sport",
      "-s --dport",
      "-s --sport",
    ]);
    for (const words of refused) expect(words.join(" ")).toMatch(/ -j REJECT --reject-with tcp-reset$/);
  });

  test("meets a new connection with silence, before anything is refused: two rules", () => {
    const first = rulesOf(cut).slice(0, 2);
    expect(first.map((words) => `${words[0]} ${words[4]} ${words[6]}`)).toEqual([
      "-s --dport --syn",
      "-d --dport --syn",
    ]);
    for (const words of first) expect(words.at(-1)).toBe("DROP");
  });

  test("matches the peer's address, tcp and the port in every rule, and never one of them alone (I18)", () => {
    for (const words of rulesOf(cut))
      expect(words.join(" ")).toMatch(new RegExp(`^-[sd] ${cut.peerAddress} -p tcp --[ds]port 11000 `));
  });

  test("comes first in INPUT and OUTPUT, also where an earlier one left its jump further down", () => {
    expect(lines.slice(-4)).toEqual(
      ["INPUT", "OUTPUT"].flatMap((hook) => [
        `${iptables} -w 3 -D ${hook} -j VIGIE-CUT-11000`,
        `${iptables} -w 3 -I ${hook} 1 -j VIGIE-CUT-11000`,
      ]),
    );
  });

  test("is taken away whole, what refuses first", () => {
    expect(openSteps(cut).map(({ run }) => line(run))).toEqual([
      `${iptables} -w 3 -F VIGIE-CUT-11000`,
      `${iptables} -w 3 -D INPUT -j VIGIE-CUT-11000`,
      `${iptables} -w 3 -D OUTPUT -j VIGIE-CUT-11000`,
      `${iptables} -w 3 -X VIGIE-CUT-11000`,
    ]);
  });
});

const anyCut: fc.Arbitrary<TimedCut> = fc.record({
  peerAddress: fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => isIPv6(text) && text === text.toLowerCase()),
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
  ttlS: fc.integer({ min: 1, max: 9_999 }),
  runId: fc.stringMatching(/^r-[a-z0-9-]{1,60}$/),
});

test("the list's name tells whose cut it is, for how long and of which run, and fits the kernel's 200 bytes", () => {
  fc.assert(
    fc.property(anyCut, (cut) => {
      expect(cutOfList(listOf(cut))).toEqual(cut);
      expect(listOf(cut).length).toBeLessThan(200);
    }),
  );
});

test("a name that is not so is nobody's cut", () => {
  fc.assert(fc.property(fc.string(), (text) => void expect(cutOfList(`vigie-cut${text}!`)).toBeUndefined()));
});
