/** Is this the end that was planned, and is this report its peer's? Asked before anything is done to one (I13). */
import type { DrbdConfig, DrbdEnd, DrbdMinor, GuardFact, PeerReport } from "@vigie/proto";
import { ageFact, fact, unknownFact } from "./fact.js";

export interface EndSeen {
  readonly bootId: string; // of this node, now
  readonly config: DrbdConfig | "unknown" | undefined; // by `drbdsetup show`; undefined: not configured
}

/** What of an end may be missing in the kernel, because it was given up; else it must be there and agree. */
export interface Missing {
  readonly disk?: "perhaps"; // Diskless
  readonly link?: "perhaps"; // StandAlone, where drbdsetup shows no addresses any more
}

/** Everything that names the end, held against the kernel's own configuration. */
export function endFacts(
  end: DrbdEnd | undefined,
  { bootId, config }: EndSeen,
  missing: Missing = {},
): GuardFact[] {
  if (end === undefined) return [fact("which end", "not named", false, "I13")];
  const boot = bootFact(end, bootId);
  const shown = `minor ${end.minor} in drbdsetup show`;
  if (config === "unknown") return [boot, unknownFact(shown, "not known")];
  if (config === undefined) return [boot, fact(shown, "not configured", false, "I13")];
  return [boot, ...linkFacts(end, config, missing), diskFact(end, config, missing)];
}

/** After a reboot the plan is of another world. */
export function bootFact(planned: { readonly bootId: string }, bootId: string): GuardFact {
  return fact("own boot", bootId, bootId === planned.bootId && bootId !== "", "I7");
}

function linkFacts(end: DrbdEnd, config: DrbdConfig, { link }: Missing): GuardFact[] {
  if (link === "perhaps" && config.localAddress === "" && config.peerAddress === "")
    return [fact("link", "not configured", true, "I13")];
  return [
    fact(
      "port",
      `${config.localPort} and ${config.peerPort}`,
      config.localPort === end.port && config.peerPort === end.port,
      "I13",
    ),
    fact("own address", config.localAddress, config.localAddress === end.localAddress, "I13"),
    fact("peer address", config.peerAddress, config.peerAddress === end.peerAddress, "I13"),
  ];
}

function diskFact(end: DrbdEnd, { backingDevice }: DrbdConfig, { disk }: Missing): GuardFact {
  const given = disk === "perhaps" && backingDevice === "";
  const holds = given || backingDevice === `/dev/${end.dataLv}`;
  return fact("backing device", backingDevice || "none", holds, "I13");
}

/** The report is the peer's, of the boot and the minor that were planned, and new enough. */
export function reportFacts(
  end: DrbdEnd | undefined,
  report: PeerReport,
  peer: DrbdMinor,
  peerAgeMs: number,
): GuardFact[] {
  return [
    ageFact("peer's report age", peerAgeMs, "I7"),
    fact("peer's report from", report.node, report.node === end?.peerNode, "I16"),
    fact("peer's boot", report.bootId, report.bootId === end?.peerBootId, "I7"),
    fact("peer's minor", String(peer.minor), peer.minor === end?.peerMinor, "I13"),
  ];
}

/** What is left when this copy goes lies on the peer's disk: it must be known to be sound (I1, I11). */
export function diskErrorsFact({ diskErrors, diskErrorsUnknown }: PeerReport): GuardFact {
  const name = "I/O errors of the peer's disk";
  if (diskErrorsUnknown !== "") return unknownFact(name, diskErrorsUnknown);
  return fact(name, String(diskErrors), diskErrors === 0, "I1");
}
