/** The light of a disk's slot, on or off. Harmless; whether it shines can be seen only where it hangs. */
import { DiskIdentity, type LocateDisk } from "@vigie/proto";
import { checkDisk } from "../argument-types.js";
import { diskFacts } from "../guards/disk-identity.js";
import { fact } from "../guards/fact.js";
import type { Command } from "../host.js";
import type { ActionDefinition } from "./action.js";
import { diskLock, seenDisk } from "./look-at-disk.js";

const LEDCTL = "/usr/sbin/ledctl";
const TIMEOUT_MS = 15_000;

export const locateDisk: ActionDefinition<LocateDisk> = {
  name: "locateDisk",
  about: ({ disk }) => disk?.node ?? "",
  check: ({ disk }) => checkDisk(disk),
  locks: ({ disk }) => [diskLock(disk)],
  opens: ({ disk }) => disk?.name ?? "",
  factsMaxAgeMs: 20_000, // whether ledctl is there is asked first; it is a light
  guard: async ({ disk }, look) => {
    const { end, stderr } = await look.host.run({ file: LEDCTL, args: ["--version"], timeoutMs: TIMEOUT_MS });
    const missing = stderr.startsWith("it is not run") ? stderr : "not installed";
    const tool = fact("ledctl", end === "not-started" ? missing : "there", end === "exited", "");
    const named = DiskIdentity.create(disk);
    const seen = await seenDisk(named, look);
    // A light may be lit at a disk that tells no wwid: all else that it tells must agree.
    return [
      tool,
      ...diskFacts(named, seen).map((each) => ({ ...each, holds: each.holds || lacksWwid(each) })),
    ];

    function lacksWwid({ name, value }: { name: string; value: string }): boolean {
      return name === "wwid" && value === "none" && named.wwid === "";
    }
  },
  holds: () => Promise.resolve<false>(false), // ledctl does not tell which are lit
  identity: () => Promise.resolve([]),
  steps: ({ disk, on }) => (disk === undefined ? [] : [{ run: locate(disk.name, on) }]),
  verify: async ({ disk, on }) => ({
    done: true,
    message: `ledctl took it; the light of ${disk?.name} should be ${on ? "on" : "off"} now`,
  }),
};

function locate(name: string, on: boolean): Command {
  const device = `/dev/${name.replaceAll("!", "/")}`;
  return { file: LEDCTL, args: [`${on ? "locate" : "locate_off"}=${device}`], timeoutMs: TIMEOUT_MS };
}
