/**
 * A node lacks what its own work needs. Each of these breaks something else later, and where it breaks nobody sees
 * why: a full /var/lib/ganeti fails a job in its middle, a dead noded every command that touches the node.
 */
import { Evidence, IncidentKind, KernelLogKind, Severity, Source, Subject } from "@vigie/proto";
import type { FilesystemRoom, GanetiCertificate, NodeHealthFacts } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { freshFacts } from "../../view/fresh-facts.js";
import { factsOf, type NodeView } from "../../view/node-view.js";
import type { Finding, FoundSoFar, NodeRule } from "../rule.js";

const { WARNING, CRITICAL } = Severity;
const MIB = 1024 * 1024;
/** A share of a small filesystem, a fixed amount of a large one: where a tenth of a percent still holds a night's logs. */
const LITTLE = { share: 0.05, bytes: 1024 * MIB };
const NONE = { share: 0.01, bytes: 200 * MIB };
const FEW_INODES = 0.02;
/** As `gnt-cluster verify` has it: lib/constants.py, SSL_CERT_EXPIRATION_WARN and _ERROR. */
const CERTIFICATE_WARNING_DAYS = 30;
const CERTIFICATE_CRITICAL_DAYS = 7;
/** A restart of Ganeti, an upgrade of its package; `renew-crypto` goes from node to node. */
const DAEMON_MS = 180_000;
const DIFFERS_MS = 600_000;
/** The kernel says it ten times a boot (hung_task_warnings), every two minutes. */
const HUNG_FOR_MS = 3_600_000;

const RENEW: Readonly<Record<string, string>> = {
  "server.pem": "--new-cluster-certificate",
  "client.pem": "--new-node-certificates",
  "rapi.pem": "--new-rapi-certificate",
};

interface Trouble {
  readonly key: string;
  readonly what: string; // with what to do
  readonly severity: Severity;
  readonly holdDownMs?: number;
}

export const nodeUnhealthy: NodeRule = {
  about: "node",
  kind: IncidentKind.NODE_UNHEALTHY,
  holdDownMs: 65_000, // seen twice
  clearMs: 65_000,
  judge: (node, view, nowMs) => {
    const health = freshFacts(node, Source.NODE_HEALTH, "nodeHealth", nowMs);
    const log = freshFacts(node, Source.KERNEL_LOG, "kernelLog", nowMs);
    const troubles = [
      ...(health.facts === undefined ? [] : ofHealth(health.facts, node, view)),
      ...(log.facts === undefined ? [] : hung(log.facts.lines, node)),
    ];
    const found = troubles.map((trouble) => asFinding(node, trouble));
    const allRead = [health, log].every(({ facts, damaged }) => facts !== undefined && damaged.length === 0);
    return allRead ? found : ({ found, unknown: "rest" } satisfies FoundSoFar);
  },
};

function asFinding(node: NodeView, { key, what, severity, holdDownMs }: Trouble): Finding {
  return {
    key,
    subject: Subject.create({ node: node.name }),
    summary: `${node.name}: ${what}`,
    severity,
    evidence: [Evidence.create({ node: node.name, text: what })],
    ...(holdDownMs === undefined ? {} : { holdDownMs }),
  };
}

function ofHealth(facts: NodeHealthFacts, node: NodeView, view: ClusterView): Trouble[] {
  const isOffline = view.ssconf?.offlineNodes.includes(node.name) ?? false;
  const masters = factsOf(view.nodes.get(view.ownNode), Source.NODE_HEALTH, "nodeHealth")?.certificates ?? [];
  return [
    ...onePerFilesystem(facts.filesystems),
    ...(isOffline ? [] : daemons(facts)), // Ganeti asks nothing of it
    ...facts.certificates.flatMap((each) => [
      ...ending(each),
      ...(isOffline ? [] : differing(each, masters)),
    ]),
  ];
}

/** Folders of one filesystem have the same figures, and are one trouble. */
function onePerFilesystem(filesystems: readonly FilesystemRoom[]): Trouble[] {
  const told = new Set<string>();
  return filesystems.flatMap(({ path, ...room }) => {
    const figures = JSON.stringify(room);
    if (told.has(figures)) return [];
    told.add(figures);
    return little({ path, ...room });
  });
}

function little({ path, sizeBytes, availableBytes, inodes, inodesFree }: FilesystemRoom): Trouble[] {
  const isBelow = ({ share, bytes }: typeof NONE): boolean =>
    availableBytes < Math.min(sizeBytes * share, bytes);
  const key = `room ${path}`;
  const what = `the filesystem of ${path} has ${Math.floor(availableBytes / MIB)} MiB left of ${Math.floor(sizeBytes / MIB)}`;
  const toDo = `what fills it: du -xh --max-depth=1 ${path}`;
  if (sizeBytes > 0 && isBelow(NONE)) return [{ key, what: `${what}; ${toDo}`, severity: CRITICAL }];
  if (sizeBytes > 0 && isBelow(LITTLE)) return [{ key, what: `${what}; ${toDo}`, severity: WARNING }];
  if (inodes === 0 || inodesFree >= inodes * FEW_INODES) return [];
  return [
    {
      key,
      what: `the filesystem of ${path} has ${inodesFree} inodes left of ${inodes}; df -i ${path}`,
      severity: WARNING,
    },
  ];
}

function daemons({ daemons }: NodeHealthFacts): Trouble[] {
  return daemons
    .filter(({ running }) => !running)
    .map(({ name }) => ({
      key: name,
      what: `${name} is not running, and Ganeti's commands fail there; systemctl restart ${name}`,
      severity: WARNING,
      holdDownMs: DAEMON_MS,
    }));
}

function ending({ name, daysLeft }: GanetiCertificate): Trouble[] {
  if (daysLeft > CERTIFICATE_WARNING_DAYS) return [];
  const when =
    daysLeft < 0 ? "has ended" : `ends in ${daysLeft === 0 ? "less than a day" : `${daysLeft} days`}`;
  return [
    {
      key: `ends ${name}`,
      what: `Ganeti's certificate ${name} ${when}; gnt-cluster renew-crypto ${RENEW[name] ?? ""}`.trimEnd(),
      severity: daysLeft > CERTIFICATE_CRITICAL_DAYS ? WARNING : CRITICAL,
    },
  ];
}

/** One certificate of the whole cluster: with another one noded refuses every call, and is refused. */
function differing({ name, sha256 }: GanetiCertificate, masters: readonly GanetiCertificate[]): Trouble[] {
  if (name !== "server.pem") return [];
  const master = masters.find((each) => each.name === name);
  if (master === undefined || master.sha256 === sha256) return [];
  return [
    {
      key: `differs ${name}`,
      what: `Ganeti's certificate ${name} is not the master's, and the nodes refuse each other; gnt-cluster verify`,
      severity: WARNING,
      holdDownMs: DIFFERS_MS,
    },
  ];
}

type Lines = NonNullable<ReturnType<typeof factsOf<"kernelLog">>>["lines"];

function hung(lines: Lines, node: NodeView): Trouble[] {
  const nowUs = (node.sources.get(Source.KERNEL_LOG)?.monotonicMs ?? 0) * 1000;
  const newest = lines.findLast(({ kind }) => kind === KernelLogKind.HUNG_TASK);
  if (newest === undefined || nowUs - newest.sinceBootUs > HUNG_FOR_MS * 1000) return [];
  const what = `tasks hang in the kernel: ${newest.text.trim()}; dmesg shows where, mostly a disk or a link that does not answer`;
  return [{ key: "hung-task", what, severity: WARNING, holdDownMs: 0 }];
}
