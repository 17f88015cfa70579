/** /etc/vigie/agent.toml. Everything has a default but the certificate files; unknown keys are refused. */
import * as z from "zod/mini";

const tls = z.strictObject({
  ca: z._default(z.string(), "/etc/vigie/tls/ca.pem"),
  certificate: z._default(z.string(), "/etc/vigie/tls/agent.pem"),
  key: z._default(z.string(), "/etc/vigie/tls/agent.key"),
});

export const agentConfigSchema = z.strictObject({
  node: z.optional(z.string()), // Ganeti's name of this node; the certificate's where not given
  state_dir: z._default(z.string(), "/var/lib/vigie/agent"),
  orchestrator_port: z._default(z.int().check(z.minimum(1), z.maximum(65_535)), 7443),
  kill_switch: z._default(z.string(), "/etc/vigie/stop"), // while this file exists, every action is refused (I33)
  log_level: z._default(z.enum(["debug", "info", "warn", "error"]), "info"),
  tls: z._default(tls, tls.parse({})),
});

export type AgentConfig = z.infer<typeof agentConfigSchema>;
