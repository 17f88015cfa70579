/** What an incident or a run is about, in the shortest form that an administrator can type back. */
import { Source, type Plan, type Subject } from "@vigie/proto";
import { word } from "./words.js";

/** `web1.example/0`, `h1.example minor 3`, `h1.example sda`, `h1.example proc-drbd`. */
export function subjectText(subject: Subject | undefined): string {
  if (subject === undefined) return "?";
  if (subject.instance !== "") return diskText(subject.instance, subject.diskIndex);
  const parts = [subject.node];
  if (subject.minor !== undefined) parts.push(`minor ${subject.minor}`);
  if (subject.device !== "") parts.push(subject.device);
  if (subject.source !== Source.UNSPECIFIED) parts.push(word(subject.source));
  return parts.filter((it) => it !== "").join(" ") || "?";
}

/** `web1.example/0`; the instance alone where no disk is meant. */
export function diskText(instance: string, diskIndex: number | undefined): string {
  return diskIndex === undefined ? instance : `${instance}/${diskIndex}`;
}

/** Nodes as people call them: `h1` for `h1.example`, unless two would have the same name. For tables only. */
export function shortNames(names: readonly string[]): (name: string) => string {
  const full = [...new Set(names)];
  const short = full.map((it) => it.split(".")[0] ?? it);
  const isClear = new Set(short).size === full.length && !short.some((it) => /^\d+$/.test(it));
  return (name) => (isClear ? (name.split(".")[0] ?? name) : name);
}

/** What a run is for, and with which runbook: `reset-stalled-sync for web1.example disk/0`. */
export function runText(plan: Plan | undefined): string {
  return plan === undefined ? "a run without a plan" : `${plan.runbook} for ${plan.subject || "the cluster"}`;
}
