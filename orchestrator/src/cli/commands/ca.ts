/** `vigie ca`: Vigie's own certificate authority. Works on files here, asks no orchestrator. */
import { Argument, Option, type Command } from "commander";
import { IDENTITY_ROLES, type IdentityRole } from "@vigie/proto";
import { createAuthority, issueCertificate } from "../../ca/authority.js";
import {
  keyPairFiles,
  readAuthorityFiles,
  refuseExisting,
  writeKeyPair,
  type KeyPairFiles,
} from "../../ca/files.js";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { parseCount } from "./options.js";

const DEFAULT_FOLDER = "/etc/vigie/ca";
const DEFAULT_DAYS = 825;

interface IssueOptions {
  readonly dir: string;
  readonly out: string;
  readonly dns: readonly string[];
  readonly days: number;
  readonly file?: string;
}

export function addCa(program: Command, register: Register): void {
  const ca = program.command("ca").description("the certificate authority that says who is who");
  addInit(ca, register);
  addIssue(ca, register);
}

function addInit(ca: Command, register: Register): void {
  const command = ca
    .command("init")
    .description("create the authority; an existing one is never overwritten");
  command.option("--dir <folder>", "where ca.pem and ca.key go", DEFAULT_FOLDER);
  register(command, async ({ show, io }: Invocation, { dir }: { dir: string }) => {
    refuseExisting(keyPairFiles(dir, "ca"));
    const files = writeKeyPair(dir, "ca", await createAuthority(new Date(io.now())));
    show(files, (it) =>
      renderFiles(it, `Keep ${it.key} on this machine only; copy ${it.certificate} to every node.`),
    );
    return EXIT.ok;
  });
}

function addIssue(ca: Command, register: Register): void {
  const command = ca
    .command("issue")
    .description("make a key and a certificate for a node or a person")
    .addArgument(new Argument("<role>", "what it may do").choices(IDENTITY_ROLES))
    .argument("<name>", "the node as Ganeti spells it, or the person")
    .option("--dir <folder>", "where ca.pem and ca.key are", DEFAULT_FOLDER)
    .option("--out <folder>", "where the two files go", ".")
    .option("--file <name>", "their name without .pem and .key (default: ROLE-NAME)")
    .addOption(
      new Option("--dns <name>", "a further host name or address; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(new Option("--days <n>", "how long it is valid").argParser(parseCount).default(DEFAULT_DAYS));
  register(
    command,
    async ({ show, io }: Invocation, role: IdentityRole, name: string, options: IssueOptions) => {
      const base = options.file ?? `${role}-${name}`;
      const request = { role, name, dnsNames: options.dns, days: options.days };
      const pair = await issueCertificate(readAuthorityFiles(options.dir), request, new Date(io.now()));
      const files = writeKeyPair(options.out, base, pair);
      show(files, (it) =>
        renderFiles(it, `${name} is ${role} for ${options.days} days. The key is for ${name} alone.`),
      );
      return EXIT.ok;
    },
  );
}

function renderFiles(files: KeyPairFiles, note: string): string {
  return `certificate  ${files.certificate}\nkey          ${files.key}\n${note}\n`;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
