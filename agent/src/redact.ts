/**
 * DRBD's shared secrets stand in `drbdsetup show`, in argv and in Ganeti's configuration. Wherever text leaves the
 * agent (log, journal, result), it goes through here. Each pattern takes time in proportion to the text: blanks can be
 * matched in one way only.
 */
const SECRETS = [
  /(shared-secret(?:\s*[=:])?\s*)("[^"]*"|[^\s;,]+)/gi, // drbdsetup show, and --shared-secret
  /("(?:shared_secret|secret)"\s*:\s*)("[^"]*")/gi, // JSON
  /(auth key:\s*)(\S+)/gi, // gnt-instance info of 2.5
];

export function redact(text: string): string {
  return SECRETS.reduce((rest, pattern) => rest.replace(pattern, "$1[redacted]"), text);
}
