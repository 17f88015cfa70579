/** The `[[notify]]` blocks of orchestrator.toml: who is told, by what, and when. No block: nobody is told. */
import * as z from "zod";
import { isWindow } from "../policy/windows.js";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const HTTP = /^https?:\/\/[^\s/@]+(?:\/\S*)?$/; // a password in it would be shown
const ADDRESS = /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/;

const any = {
  name: z.string().regex(NAME, "lower-case letters, digits and dashes"),
  /** Below it nothing is told here. */
  min_severity: z.enum(["notice", "warning", "critical"]).default("warning"),
};

const messages = {
  ...any,
  /** What happens within it goes into one message. */
  group_wait_s: z.int().min(0).max(3600).default(30),
  /** So often is said again what waits for a person. */
  repeat_every_min: z.int().min(5).max(1440).default(30),
  /** In any hour; what is more is gathered. */
  max_per_hour: z.int().min(2).max(1000).default(12),
  /** When only what is critical goes out, in UTC. */
  quiet: z.array(z.string().refine(isWindow, 'a window in UTC, such as "22:00-06:00"')).default([]),
};

const webhook = z.strictObject({
  ...messages,
  type: z.literal("webhook"),
  url: z.string().regex(HTTP, "http:// or https://, without a user"),
  secret_file: z.string().min(1), // "whsec_…": base64 of 24 to 64 bytes
});

const mail = z
  .strictObject({
    ...messages,
    type: z.literal("mail"),
    to: z.array(z.string().regex(ADDRESS, "an address such as anna@example.org")).min(1),
    from: z.string().regex(ADDRESS, "an address such as vigie@example.org").optional(), // vigie@ this node
    host: z.string().min(1).default("localhost"),
    port: z.int().min(1).max(65_535).default(25),
    /** opportunistic: STARTTLS where it is offered, whatever the certificate; the others verify it. */
    tls: z.enum(["opportunistic", "starttls", "implicit", "off"]).default("opportunistic"),
    user: z.string().min(1).optional(),
    password_file: z.string().min(1).optional(),
  })
  .refine((it) => (it.user === undefined) === (it.password_file === undefined), {
    path: ["password_file"],
    message: "user and password_file together, or neither",
  })
  .refine((it) => it.user === undefined || it.tls === "starttls" || it.tls === "implicit", {
    path: ["tls"],
    message: '"starttls" or "implicit", for a password is sent',
  });

const alertmanager = z.strictObject({
  ...any,
  type: z.literal("alertmanager"),
  url: z.string().regex(HTTP, "http:// or https://, without a user"), // without /api/v2/alerts
  /** An alert that is not posted again for so long is taken for over; it is posted four times within it. */
  resolve_after_s: z.int().min(60).max(3600).default(300),
});

export const notifySchema = z
  .array(
    z.discriminatedUnion("type", [webhook, mail, alertmanager], {
      error: 'one of "webhook", "mail", "alertmanager"',
    }),
  )
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "a name of its own for each")
  .default([]);

export type ChannelSettings = z.infer<typeof notifySchema>[number];
export type WebhookSettings = z.infer<typeof webhook>;
export type MailSettings = z.infer<typeof mail>;
export type AlertmanagerSettings = z.infer<typeof alertmanager>;
