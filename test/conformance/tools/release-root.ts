/**
 * The root of a release on this machine's own kernel: the lab's image of a node with changes in memory, in a mount and
 * a network namespace that end with it. Here for what only the host's kernel has, which is nf_tables.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Suite } from "../../lab/index.js";
import { imageOf } from "./image.js";
import { bundleServer, connectHost, type RemoteHost } from "./remote-host.js";

const ENTER = `
image=$1 server=$2 folder=$3 backend=$4
mount -t tmpfs -o mode=755 tmpfs "$folder"
cd "$folder"
mkdir image changes work root
mount -o loop,ro "$image" image
mount -t overlay -o lowerdir=image,upperdir=changes,workdir=work overlay root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
mount -t tmpfs -o mode=755 tmpfs root/dev
for node in null zero random urandom; do cp -a /dev/$node root/dev/; done
for tool in iptables ip6tables; do
  chroot root update-alternatives --quiet --set $tool /usr/sbin/$tool-$backend
done
cp "$server" root/serve-host.cjs
ip link set lo up
exec chroot root /usr/lib/vigie/node /serve-host.cjs`;

/** @param backend of iptables: what update-alternatives sets it to */
export async function openReleaseRoot(suite: Suite, backend: "nft" | "legacy"): Promise<RemoteHost> {
  const image = await imageOf(suite);
  const folder = mkdtempSync(join(tmpdir(), "vigie-root-"));
  const server = join(folder, "serve-host.cjs");
  writeFileSync(server, await bundleServer());
  mkdirSync(join(folder, "root"));
  const words = ["sh", "-ec", ENTER, "sh", image, server, join(folder, "root"), backend];
  const remote = connectHost(["unshare", "--mount", "--net", "--pid", "--fork", ...words]);
  return {
    ...remote,
    end: async () => {
      await remote.end();
      rmSync(folder, { recursive: true });
    },
  };
}
