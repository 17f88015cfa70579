/** Is this the end that was planned, and is this report its peer's? Asked before anything is done to one (I13). */
import type { DrbdConfig, DrbdEnd, DrbdMinor, GuardFact, PeerReport } from "@vigie/proto";
import { fact, FACT_AGE_MAX_MS } from "./fact.js";

export interface EndSeen {
  readonly bootId: string; // of this node, now
  readonly config: DrbdConfig | undefined; // by `drbdsetup show`; undefined: not configured
}

/**
 * Everything that names the end, held against the kernel's own configuration.
 * @param disk "attached": it must have its disk; "perhaps": none will do too, for one that gave it up
 */
export function endFacts(
  end: DrbdEnd | undefined,
  { bootId, config }: EndSeen,
  disk: "attached" | "perhaps" = "attached",
): GuardFact[] {
  if (end === undefined) return [fact("which end", "not named", false, "I13")];
  const boot = fact("own boot", bootId, bootId === end.bootId && bootId !== "", "I7");
  if (config === undefined)
    return [boot, fact(`minor ${end.minor} in drbdsetup show`, "not configured", false, "I13")];
  const given = disk === "perhaps" && config.backingDevice === "";
  return [
    boot,
    fact(
      "port",
      `${config.localPort} and ${config.peerPort}`,
      config.localPort === end.port && config.peerPort === end.port,
      "I13",
    ),
    fact("own address", config.localAddress, config.localAddress === end.localAddress, "I13"),
    fact("peer address", config.peerAddress, config.peerAddress === end.peerAddress, "I13"),
    fact(
      "backing device",
      given ? "none" : config.backingDevice,
      given || config.backingDevice === `/dev/${end.dataLv}`,
      "I13",
    ),
  ];
}

/** The report is the peer's, of the boot and the minor that were planned, and new enough. */
export function reportFacts(
  end: DrbdEnd | undefined,
  report: PeerReport,
  peer: DrbdMinor,
  peerAgeMs: number,
): GuardFact[] {
  return [
    fact("peer's report age", `${peerAgeMs} ms`, peerAgeMs <= FACT_AGE_MAX_MS, "I7"),
    fact("peer's report from", report.node, report.node === end?.peerNode, "I16"),
    fact("peer's boot", report.bootId, report.bootId === end?.peerBootId, "I7"),
    fact("peer's minor", String(peer.minor), peer.minor === end?.peerMinor, "I13"),
  ];
}
