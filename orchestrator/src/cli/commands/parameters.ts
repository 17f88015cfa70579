/**
 * From the words after a runbook's name to its parameters: in the runbook's order, or by name where one is left out.
 * What a value means is the runbook's to say; here only words are counted.
 */
import { nearestWord, Parameter, VigieError, type PlanRunRequest, type RunbookInfo } from "@vigie/proto";
import { Option, type Command } from "commander";
import type { Api } from "../api.js";
import { callOf, takesSeveral } from "../render/runbooks.js";

export interface PlanOptions {
  readonly incident?: string;
  readonly param: readonly string[];
  readonly dryRun?: boolean;
}

/** What `vigie do` and `vigie plan` have in common. */
export function addPlanArguments(command: Command): Command {
  return command
    .argument("<runbook>", "its name: vigie runbook list")
    .argument("[values...]", "its parameters in its order, or NAME=VALUE")
    .option("--incident <id>", "for what this incident is about, instead of parameters")
    .addOption(
      new Option("--param <name=value>", "a parameter by its name; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--dry-run", "only show the plan: nothing is kept");
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

export async function planRequest(
  api: Api,
  runbook: string,
  words: readonly string[],
  { incident = "", param, dryRun = false }: PlanOptions,
): Promise<PlanRunRequest> {
  if (incident !== "") {
    if (words.length + param.length > 0)
      throw wrong("with --incident the parameters come from the incident: leave them out");
    return { runbook, parameters: [], incidentId: incident, dryRun };
  }
  const parameters = parametersFor(await runbookNamed(api, runbook), words, param);
  return { runbook, parameters, incidentId: "", dryRun };
}

/** @throws VigieError NOT_FOUND, with the nearest name that there is */
export async function runbookNamed(api: Api, name: string): Promise<RunbookInfo> {
  const { runbooks } = await api.ask("listRunbooks", {});
  const found = runbooks.find((it) => it.name === name);
  if (found !== undefined) return found;
  const names = runbooks.map((it) => it.name);
  const near = nearestWord(name, names);
  const hint = near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`;
  throw new VigieError("NOT_FOUND", `there is no runbook ${JSON.stringify(name)}: ${hint}`);
}

/** @param named of --param, each NAME=VALUE */
export function parametersFor(
  info: RunbookInfo,
  words: readonly string[],
  named: readonly string[],
): Parameter[] {
  const given = new Map(named.map((text) => pairOf(info, text) ?? notAPair(info, text)));
  const loose = words.filter((word) => {
    const pair = pairOf(info, word);
    if (pair !== undefined) given.set(...pair);
    return pair === undefined;
  });
  const free = info.parameters.filter((it) => !given.has(it.name));
  for (const parameter of free) {
    const taken = loose.splice(0, takesSeveral(parameter) ? lengthOfList(loose) : 1);
    if (taken.length > 0) given.set(parameter.name, taken.join(","));
  }
  const [extra] = loose;
  if (extra !== undefined) throw wrong(`${JSON.stringify(extra)} is one word too many: ${callOf(info)}`);
  splitDisk(info, given);
  const missing = info.parameters.find((it) => it.required && !given.has(it.name));
  if (missing !== undefined)
    throw wrong(`${info.name} needs ${missing.name} (${missing.summary}): ${callOf(info)}`);
  return info.parameters.flatMap(({ name }) => {
    const value = given.get(name);
    return value === undefined ? [] : [Parameter.create({ name, value })];
  });
}

/** A list of names ends at its end, or before a number, which is another parameter's. */
function lengthOfList(words: readonly string[]): number {
  const end = words.findIndex((word, n) => n > 0 && /^\d+$/.test(word));
  return end === -1 ? words.length : end;
}

/** `disk=1`, where the runbook has such a parameter. */
function pairOf(info: RunbookInfo, text: string): [name: string, value: string] | undefined {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at));
  return info.parameters.some((it) => it.name === name) ? [name, text.slice(at + 1)] : undefined;
}

function notAPair(info: RunbookInfo, text: string): never {
  const names = info.parameters.map((it) => it.name).join(", ") || "none";
  throw wrong(
    `--param ${JSON.stringify(text)} is not NAME=VALUE of ${info.name}, whose parameters are: ${names}`,
  );
}

/** `web1.example/1` is what the screens call its disk 1. */
function splitDisk(info: RunbookInfo, given: Map<string, string>): void {
  const takesDisk = info.parameters.some((it) => it.name === "disk") && !given.has("disk");
  const { instance, disk } =
    /^(?<instance>[^/]+)\/(?<disk>\d{1,2})$/.exec(given.get("instance") ?? "")?.groups ?? {};
  if (!takesDisk || instance === undefined || disk === undefined) return;
  given.set("instance", instance);
  given.set("disk", disk);
}

function wrong(message: string): VigieError {
  return new VigieError("INVALID_ARGUMENT", message);
}
