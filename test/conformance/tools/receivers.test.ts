/**
 * Messages to receivers as Debian 12 and 13 package them, read back from there: mail in a mailbox of Exim, alerts out
 * of Alertmanager's API. The receiver of webhooks is in orchestrator/src/notify/channels/webhook.test.ts.
 */
import {
  IncidentKind,
  IncidentState,
  MessageItem,
  MessageReason,
  NoticeCause,
  Severity,
  Subject,
  type Message,
} from "@vigie/proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labObstacle, SUITES } from "../../lab/index.js";
import type { Callee } from "./line-calls.js";
import { ALERTMANAGER, MAIL_HOST, MAILBOX, openReceivers, PASSWORD } from "./receivers-root.js";

const OPEN_TIMEOUT_MS = 600_000; // with the making of the root
const MAIL = { name: "ops", type: "mail", host: MAIL_HOST, to: ["anna@example.org"] };
const ALERTS = { name: "alerts", type: "alertmanager", url: ALERTMANAGER };
const OPENED = Date.now() - 60_000;

const ITEM = MessageItem.create({
  about: "i-1",
  causes: [NoticeCause.OPENED, NoticeCause.NEEDS_PERSON],
  severity: Severity.CRITICAL,
  kind: IncidentKind.STALLED_SYNC,
  state: IncidentState.NEEDS_PERSON,
  subject: Subject.create({ node: "h1.example", instance: "web1.example", diskIndex: 0 }),
  title: "web1.example/0",
  summary: "the resync has not moved for 7 s – on both ends", // not ASCII
  sinceUnixMs: OPENED,
  evidence: ["h1.example: cs SyncSource", "h2.example: cs SyncTarget"],
  plan: ["1. cut-link on h1.example", "   h1# iptables -A vigie"],
  command: "vigie approve r-1",
});

function message(id: string, over: Partial<Message> = {}): Message {
  return {
    id,
    unixMs: OPENED + 30_000,
    reason: MessageReason.NEWS,
    items: [ITEM],
    heldMs: 30_000,
    threads: [],
    cluster: "cluster.example",
    orchestratorNode: "h1.example",
    notLeading: "",
    ...over,
  };
}

describe.skipIf(labObstacle() !== undefined).each(SUITES)("the receivers of Debian %s", (suite) => {
  let receivers: Callee;
  beforeAll(async () => {
    receivers = await openReceivers(suite);
  }, OPEN_TIMEOUT_MS);
  afterAll(() => receivers?.end());

  const send = (settings: object, it: Message): Promise<string> =>
    receivers.call<string>("send", settings, it);

  describe("Exim", () => {
    /** The mails that came since the last look. */
    async function newMails(count: number): Promise<string[]> {
      let mails: string[] = [];
      await expect
        .poll(
          async () => {
            const all = await receivers.call<string[]>("mails", MAILBOX).catch(() => []);
            mails = all.filter((it) => !seen.has(it));
            return mails.length;
          },
          { timeout: 20_000 },
        )
        .toBe(count);
      for (const it of mails) seen.add(it);
      return mails;
    }
    const seen = new Set<string>();

    test("puts it into the mailbox as it was written, and nobody's absence answers it", async () => {
      expect(await send(MAIL, message("m-1"))).toMatch(/^250 /);
      const [mail = ""] = await newMails(1);
      const { headers, body } = parsed(mail);
      expect(headers).toMatchObject({
        from: "vigie@h1.example",
        to: "anna@example.org",
        subject: "[vigie cluster.example] CRITICAL stalled-sync web1.example/0: needs a person",
        "message-id": "<m-1@h1.example>",
        "auto-submitted": "auto-generated",
      });
      expect(body).toContain("the resync has not moved for 7 s – on both ends");
      expect(body).toContain("  vigie approve r-1");
    });

    test("gets what happens later as an answer to the first, so that it is one thread", async () => {
      await send(MAIL, message("m-2", { threads: ["m-1"] }));
      const [mail = ""] = await newMails(1);
      expect(parsed(mail).headers).toMatchObject({
        "in-reply-to": "<m-1@h1.example>",
        references: "<m-1@h1.example>",
      });
    });

    test("gets it encrypted where it offers that, whatever its certificate; and not in clear where that is asked", async () => {
      await send({ ...MAIL, host: "localhost" }, message("m-3")); // no name of the certificate
      const [mail = ""] = await newMails(1);
      expect(mail).toMatch(/^Received:[^;]*TLS/m);
      await expect(send({ ...MAIL, host: "localhost", tls: "starttls" }, message("m-4"))).rejects.toThrow(
        /altnames|does not match/i,
      );
      await send({ ...MAIL, tls: "starttls" }, message("m-5"));
      await newMails(1);
      await send({ ...MAIL, port: 26 }, message("m-6")); // its certificate is not there
      await expect(send({ ...MAIL, port: 26, tls: "starttls" }, message("m-7"))).rejects.toThrow();
      expect((await newMails(1))[0]).not.toMatch(/^Received:[^;]*TLS/m);
    });

    test.each([
      ["starttls", 587],
      ["implicit", 465],
    ])(
      "takes it by a login over %s, with the password of a file, and not with another",
      async (tls, port) => {
        const file = await receivers.call<string>("write", "password", `${PASSWORD}\n`);
        const wrong = await receivers.call<string>("write", "wrong", "guessed");
        const login = { ...MAIL, tls, port, user: "vigie", password_file: file };
        expect(await send(login, message(`m-${port}`))).toMatch(/^250 /);
        await newMails(1);
        const refused = send({ ...login, password_file: wrong }, message("m-6"));
        await expect(refused).rejects.toThrow(/535|Authentication/i);
        await expect(refused).rejects.not.toThrow(/guessed/);
      },
    );

    test("refuses a recipient that it does not serve, and its words are the reason", async () => {
      const stranger = { ...MAIL, to: ["eve@elsewhere.example"] };
      await expect(send(stranger, message("m-7"))).rejects.toThrow(/550/);
      const both = { ...MAIL, to: ["anna@example.org", "eve@elsewhere.example"] };
      expect(await send(both, message("m-8"))).toContain("it refused eve@elsewhere.example");
      await newMails(1);
    });
  });

  describe("Alertmanager", () => {
    interface GotAlert {
      readonly labels: Record<string, string>;
      readonly annotations: Record<string, string>;
      readonly startsAt: string;
      readonly endsAt: string;
    }
    const active = (): Promise<GotAlert[]> =>
      receivers.call<GotAlert[]>("get", `${ALERTMANAGER}/api/v2/alerts?active=true`);

    test("has an open incident as an alert until it is over", async () => {
      expect(await send(ALERTS, message("m-1"))).toMatch(/^200/);
      const labels = {
        alertname: "VigieStalledSync",
        severity: "critical",
        kind: "stalled-sync",
        node: "h1.example",
        ganeti_instance: "web1.example",
        disk: "0",
        cluster: "cluster.example",
      };
      const [alert] = await active();
      expect(alert).toMatchObject({ labels, annotations: { command: "vigie approve r-1" } });
      expect(Date.parse(alert?.startsAt ?? "")).toBe(OPENED);

      const over = { ...ITEM, state: IncidentState.CLOSED, closedUnixMs: Date.now() - 1_000 };
      await send(ALERTS, message("m-2", { items: [over] }));
      await expect.poll(async () => (await active()).length, { timeout: 20_000 }).toBe(0);
    });

    test("is told again what stands, and takes it for the same alert with a later end", async () => {
      const settings = { ...ALERTS, resolve_after_s: 60 };
      const items = [
        { ...ITEM, title: "web2.example/0", subject: { ...ITEM.subject, instance: "web2.example" } },
      ];
      await receivers.call("refresh", settings, items);
      const [first] = await active();
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await receivers.call("refresh", settings, items);
      const [second, ...others] = await active();
      expect(others).toEqual([]);
      expect(Date.parse(second?.endsAt ?? "")).toBeGreaterThan(Date.parse(first?.endsAt ?? ""));
      expect(second?.startsAt).toBe(first?.startsAt);
    });

    test("shows a test as an alert that ends by itself", async () => {
      await send(ALERTS, message("m-9", { reason: MessageReason.TEST, items: [] }));
      expect((await active()).map(({ labels }) => labels["alertname"])).toContain("VigieTest");
    });

    test("that does not know the address says so", async () => {
      await expect(send({ ...ALERTS, url: `${ALERTMANAGER}/other` }, message("m-10"))).rejects.toThrow(
        "it answered 404",
      );
    });
  });
});

/** Headers by their lower-case names, unfolded; the body as a reader shows it. */
function parsed(mail: string): { headers: Record<string, string>; body: string } {
  const [head = "", ...rest] = mail.replaceAll("\r\n", "\n").split("\n\n");
  const unfolded = head.replaceAll(/\n[ \t]+/g, " ").split("\n");
  const headers = Object.fromEntries(
    unfolded.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 2),
    ]),
  );
  const text = rest.join("\n\n");
  const encoding = headers["content-transfer-encoding"];
  const bytes =
    encoding === "base64"
      ? Buffer.from(text, "base64")
      : Buffer.from(
          text
            .replaceAll("=\n", "")
            .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
          "latin1",
        );
  return { headers, body: bytes.toString("utf8") };
}
