/**
 * A plain-text mail by SMTP. What happens to an incident later answers the first mail about it, so that it is one thread;
 * and it says that it is written by a program, so that nobody's absence notice answers it.
 */
import { createTransport } from "nodemailer";
import { VigieError, type Message } from "@vigie/proto";
import type { Channel } from "../channel.js";
import { rulesOf } from "../rules-of.js";
import type { MailSettings } from "../settings.js";
import { bodyText, subjectLine } from "../text.js";

const CONNECT_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 60_000; // some servers let an unknown client wait before they greet

/**
 * @param ownNode for the sender where none is configured, and to greet the server with
 * @param password empty: no login
 */
export function createMail(settings: MailSettings, ownNode: string, password: string): Channel {
  const { name, host, port, tls, user = "", to, from = `vigie@${ownNode}` } = settings;
  const options = {
    host,
    port,
    name: ownNode,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    // A mail that nobody can read on its way, from whomever, is better than one that everybody can.
    tls: { rejectUnauthorized: tls !== "opportunistic" },
    ...(user === "" ? {} : { auth: { user, pass: password } }),
    connectionTimeout: CONNECT_WITHIN_MS,
    greetingTimeout: ANSWER_WITHIN_MS,
    socketTimeout: ANSWER_WITHIN_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const transport = createTransport({ ...options, ignoreTLS: tls === "off" });
  const inClear = tls === "opportunistic" ? createTransport({ ...options, ignoreTLS: true }) : undefined;
  return {
    name,
    type: "mail",
    rules: rulesOf(settings),
    send: async (message) => answerOf(await sent(message)),
  };

  async function sent(message: Message): Promise<Sent> {
    const mail = { from, to: [...to], ...mailOf(message, from.split("@")[1] ?? "") };
    try {
      return await transport.sendMail(mail);
    } catch (error) {
      if (inClear === undefined || !isOfTls(error)) throw new VigieError("UNAVAILABLE", whyNot(error));
    }
    try {
      return await inClear.sendMail(mail); // it offers what it cannot do: as between mail servers, it goes on without
    } catch (error) {
      throw new VigieError("UNAVAILABLE", whyNot(error));
    }
  }
}

/** Nothing was sent yet: the mail comes after the handshake. */
function isOfTls(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "ETLS" || (error instanceof Error && /\b(?:SSL|TLS|tls)/.test(error.message));
}

/** @param domain of every Message-ID: the same on each node, so that threads outlive a failover */
export function mailOf(message: Message, domain: string) {
  const id = (messageId: string): string => `<${messageId}@${domain}>`;
  const references = message.threads.map(id);
  const [first] = references;
  return {
    subject: subjectLine(message),
    text: bodyText(message),
    date: new Date(message.unixMs),
    messageId: id(message.id),
    ...(first === undefined ? {} : { inReplyTo: first, references }),
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

/** What is read of the library's answer. */
interface Sent {
  readonly response?: string | undefined; // the server's last line
  readonly rejected?: readonly (string | { readonly address: string })[] | undefined;
}

/** One recipient that is refused while another is taken is no failure: the others would get it again and again. */
function answerOf({ response = "", rejected = [] }: Sent): string {
  const refused = rejected.map((it) => (typeof it === "string" ? it : it.address));
  return refused.length === 0 ? response : `${response}; but it refused ${refused.join(", ")}`;
}

/** The server's own words, without line breaks. */
function whyNot(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}
