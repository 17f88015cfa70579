/**
 * Shell completion from commander's command tree. Words only (subcommands, options, fixed choices): completing ids
 * would mean a call to the orchestrator at every Tab, which must not hang a shell at 3 a.m.
 */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly text: string;
  readonly about: string; // empty where there is nothing to say
}

/** What may be typed after `vigie`, after `vigie incident`, … */
interface Place {
  readonly path: readonly string[];
  readonly words: readonly Word[];
}

export function completionScript(program: Command, shell: Shell): string {
  const all = places(program, []);
  switch (shell) {
    case "bash":
      return bashScript(all);
    case "zsh":
      return zshScript(all);
    case "fish":
      return fishScript(all);
  }
  return "";
}

function places(command: Command, path: readonly string[]): Place[] {
  const subcommands = command.commands.map((it) => ({ text: it.name(), about: it.description() }));
  const choices = command.registeredArguments
    .flatMap((it) => it.argChoices ?? [])
    .map((text) => ({ text, about: "" }));
  const options = optionsOf(command);
  return [
    { path, words: [...subcommands, ...choices, ...options] },
    ...command.commands.flatMap((it) => places(it, [...path, it.name()])),
  ];
}

/** Its own and those of the commands above it: global options may stand anywhere. */
function optionsOf(command: Command): Word[] {
  const own = command.options.map((it) => ({ text: it.long ?? it.short ?? "", about: it.description }));
  return command.parent === null
    ? [...own, { text: "--help", about: "display help" }]
    : [...own, ...optionsOf(command.parent)];
}

/** The shell's own loop walks the words before the cursor; only those that lead somewhere move it. */
function walk(all: readonly Place[], from: string): string {
  const known = all.filter((it) => it.path.length > 0).map((it) => `"${it.path.join(" ")}"`);
  return [
    `  local place="" word`,
    `  for word in ${from}; do`,
    `    case "\${place:+$place }$word" in`,
    `      ${known.join("|")}) place="\${place:+$place }$word" ;;`,
    `    esac`,
    `  done`,
  ].join("\n");
}

function bashScript(all: readonly Place[]): string {
  const cases = all.map(
    (it) => `    "${it.path.join(" ")}") words="${it.words.map((w) => w.text).join(" ")}" ;;`,
  );
  return [
    `# vigie completion for bash: eval "$(vigie completion bash)"`,
    `_vigie() {`,
    `  local words=""`,
    walk(all, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`),
    `  case "$place" in`,
    ...cases,
    `  esac`,
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    `}`,
    `complete -o default -F _vigie vigie`,
    ``,
  ].join("\n");
}

function zshScript(all: readonly Place[]): string {
  const cases = all.map(
    (it) => `    ${quoted(it.path.join(" "))}) words_here=(${it.words.map(described).join(" ")}) ;;`,
  );
  return [
    `#compdef vigie`,
    `# vigie completion for zsh: vigie completion zsh > "\${fpath[1]}/_vigie"`,
    `_vigie() {`,
    `  local -a words_here`,
    walk(all, `"\${(@)words[2,CURRENT-1]}"`),
    `  case "$place" in`,
    ...cases,
    `  esac`,
    `  _describe 'vigie' words_here`,
    `}`,
    `if [ "$funcstack[1]" = "_vigie" ]; then _vigie "$@"; else compdef _vigie vigie; fi`,
    ``,
  ].join("\n");
}

function fishScript(all: readonly Place[]): string {
  const lines = all.flatMap((it) =>
    it.words.map((word) => {
      const what = word.text.startsWith("--") ? `-l ${word.text.slice(2)}` : `-a ${quoted(word.text)}`;
      const about = word.about === "" ? "" : ` -d ${quoted(word.about)}`;
      return `complete -c vigie -f -n ${quoted(`test (__vigie_place) = ${quoted(it.path.join(" "))}`)} ${what}${about}`;
    }),
  );
  return [
    `# vigie completion for fish: vigie completion fish > ~/.config/fish/completions/vigie.fish`,
    `function __vigie_place`,
    `  set -l place`,
    `  for word in (commandline -opc)[2..]`,
    `    if contains -- (string join ' ' $place $word) ${all
      .filter((it) => it.path.length > 0)
      .map((it) => quoted(it.path.join(" ")))
      .join(" ")}`,
    `      set -a place $word`,
    `    end`,
    `  end`,
    `  string join ' ' -- $place`,
    `  test -z "$place"; and echo ''`,
    `end`,
    ...lines,
    ``,
  ].join("\n");
}

/** zsh's `word:description`. */
function described(word: Word): string {
  return quoted(`${word.text.replaceAll(":", "\\:")}:${word.about}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
