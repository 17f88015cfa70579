/**
 * Planned maintenance of nodes. It is on disk before it is confirmed, and is told to every agent, so that it outlives the
 * master as the kill switch does. But it makes Vigie quieter, and the kill switch does not: so an orchestrator takes it
 * up from the agent of its own node alone, whose word on Ganeti's configuration it takes, too; from another agent it
 * learns only that one is over (I41). Its end is of the wall clock of another machine then, which decides nothing but
 * whom to tell (I27).
 */
import { VigieError, type Clock, type Maintenance, type MaintenanceList } from "@vigie/proto";
import type { Change } from "../store/store.js";
import { isPast, limitOf, type TimeLimit } from "./time-limit.js";

const JUMP_MAX = 2 ** 20; // as the agents have it

export interface MaintenanceKeeper {
  /** Those that are not over, by node. */
  readonly on: () => readonly Maintenance[];
  /** As agents are to know it. */
  readonly newest: () => MaintenanceList;
  /** Announced again, it has another end. @throws VigieError INVALID_ARGUMENT for a time that is too long, or none */
  readonly begin: (node: string, forMs: number, person: string, reason: string) => Promise<Maintenance>;
  /** @throws VigieError NOT_FOUND where there is none */
  readonly end: (node: string, person: string, reason: string) => Promise<Maintenance>;
  /** What an agent knows of another master's time. */
  readonly learn: (list: MaintenanceList | undefined, node: string) => Promise<void>;
}

export interface MaintenanceParts {
  readonly clock: Clock;
  readonly ownNode: string;
  readonly maxMs: () => number;
  readonly known: MaintenanceList; // by the store
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly announce: (list: MaintenanceList) => void; // to every agent
}

interface Heard {
  readonly list: MaintenanceList;
  readonly node: string;
}

export function createMaintenanceKeeper(parts: MaintenanceParts): MaintenanceKeeper {
  const { clock, ownNode, maxMs, record, announce } = parts;
  let newest = parts.known;
  let limits = limitsOf(newest);
  let heard: Heard[] | undefined = []; // before the own node's agent has spoken; undefined: it has

  let last: Promise<unknown> = Promise.resolve();

  return {
    on,
    newest: () => newest,
    begin: (...of) => inTurn(() => begin(...of)),
    end: (...of) => inTurn(() => end(...of)),
    learn: (...of) => inTurn(() => learn(...of)),
  };

  /** Each knows what the one before has made of the list, and that it is on disk. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  }

  function on(): readonly Maintenance[] {
    return newest.maintenances
      .filter(({ node }) => !isPast(limits.get(node), clock))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  async function begin(node: string, forMs: number, person: string, reason: string): Promise<Maintenance> {
    if (!(forMs >= 1_000 && forMs <= maxMs()))
      throw new VigieError(
        "INVALID_ARGUMENT",
        `a maintenance has an end: at most ${maxMs() / 3_600_000} h from now (maintenance.max_h in orchestrator.toml)`,
      );
    const begunUnixMs = clock.wallUnixMs();
    const begun = { node, begunUnixMs, untilUnixMs: begunUnixMs + Math.round(forMs), person, reason };
    const others = on().filter((it) => it.node !== node);
    newest = { number: newest.number + 1, maintenances: [...others, begun] };
    await keep(newest, person, "maintenance.begun", node, { untilUnixMs: begun.untilUnixMs, reason });
    for (const [name, limit] of limitsOf({ ...newest, maintenances: [begun] })) limits.set(name, limit); // on disk: it counts
    return begun;
  }

  async function end(node: string, person: string, reason: string): Promise<Maintenance> {
    const ended = on().find((it) => it.node === node);
    if (ended === undefined)
      throw new VigieError("NOT_FOUND", `${node} is not under maintenance; see: vigie maintenance list`);
    newest = {
      number: newest.number + 1,
      maintenances: on().filter((it) => it !== ended),
    };
    limits.delete(node); // at once: what is told too early harms nobody
    await keep(newest, person, "maintenance.ended", node, { untilUnixMs: ended.untilUnixMs, reason });
    return ended;
  }

  async function learn(list: MaintenanceList | undefined, node: string): Promise<void> {
    const told = list ?? { number: 0, maintenances: [] };
    if (node !== ownNode) {
      if (heard === undefined) return learnEnds({ list: told, node });
      heard.push({ list: told, node });
      return;
    }
    const waiting = heard ?? [];
    heard = undefined;
    if (isNews(told)) {
      newest = told;
      limits = limitsOf(told);
      await keep(told, node, "maintenance.learned", node, { nodes: on().map((it) => it.node) });
    }
    for (const each of waiting) await learnEnds(each);
  }

  /** One agent's word may end what keeps Vigie quiet, and never begin it. */
  async function learnEnds({ list, node }: Heard): Promise<void> {
    if (!isNews(list)) return;
    const stays = on().filter((known) => list.maintenances.some((it) => isSame(it, known)));
    if (stays.length === on().length) return;
    newest = { number: list.number + 1, maintenances: stays };
    limits = new Map([...limits].filter(([name]) => stays.some((it) => it.node === name)));
    await keep(newest, node, "maintenance.learned", node, { nodes: stays.map((it) => it.node) });
  }

  function isNews({ number }: MaintenanceList): boolean {
    return number > newest.number && number - newest.number <= JUMP_MAX;
  }

  function limitsOf({ maintenances }: MaintenanceList): Map<string, TimeLimit> {
    return new Map(
      maintenances.flatMap(({ node, begunUnixMs: fromUnixMs, untilUnixMs }) => {
        const limit = limitOf({ fromUnixMs, untilUnixMs }, maxMs(), clock);
        return limit === undefined ? [] : [[node, limit] as const];
      }),
    );
  }

  async function keep(
    list: MaintenanceList,
    actor: string,
    action: string,
    subject: string,
    detail: object,
  ): Promise<void> {
    const audit = { unixMs: clock.wallUnixMs(), actor, action, subject, detail };
    await record([
      { record: "maintenance", list },
      { record: "audit", audit },
    ]);
    announce(newest);
  }
}

function isSame(a: Maintenance, b: Maintenance): boolean {
  return a.node === b.node && a.untilUnixMs === b.untilUnixMs;
}
