/** What apt and mmdebstrap print when they fail, and what a person does about it. The first row that knows it counts. */
import type { KnownFailure } from "./problem.js";
import type { Suite } from "./suite.js";

/** @param suite of which packages are wanted; the host's own when absent */
export function aptFailures(suite?: Suite): readonly KnownFailure[] {
  const release = suite === undefined ? "this machine's Debian" : `Debian ${suite}`;
  return [
    {
      words: /No space left on device|enough free space/,
      problem: "the disk is full",
      remedy: "make room (df -h) and try again",
    },
    {
      words: /NO_PUBKEY|EXPKEYSIG|KEYEXPIRED|is not signed|Missing key/,
      problem: `this machine does not know the keys that sign ${release}`,
      remedy: "apt-get install debian-archive-keyring from the newest release, and look at the clock",
    },
    {
      words: /Could not get lock|Unable to acquire the dpkg|Unable to lock/,
      problem: "another apt or dpkg is at work",
      remedy: "wait until it is done and try again",
    },
    {
      words: /dpkg was interrupted/,
      problem: "an earlier installation was interrupted",
      remedy: "run dpkg --configure -a and try again",
    },
    {
      words: /does not have a Release file|404 +Not Found/,
      problem: `this machine's mirror has no ${release}`,
      remedy: "name one that has it in /etc/apt/sources.list.d, run apt-get update and try again",
    },
    {
      words:
        /Temporary failure resolving|Could not (resolve|connect)|Cannot initiate the connection|Connection (failed|refused|timed out)|Unable to connect/,
      problem: "the Debian mirror cannot be reached",
      remedy: "see whether the network, or the proxy of apt-config dump, works, and try again",
    },
    {
      words: /Unable to locate package|has no installation candidate/,
      problem: `${release} has a package no more, or the machine's package lists are not whole`,
      remedy: "run apt-get update and try again",
    },
  ];
}
