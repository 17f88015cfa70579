/**
 * Receivers of a release, as Debian packages them: Exim, which is Debian's own mail server, with a mailbox, and Alertmanager. They run in a
 * root that is made here, on a network of their own, and end with it; nothing of them is installed on this machine.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runHost } from "../../lab/host/exec.js";
import { alone } from "../../lab/host/lock.js";
import { ensurePackages } from "../../lab/host/packages.js";
import { cacheRoot } from "../../lab/host/paths.js";
import type { Suite } from "../../lab/index.js";
import { NODE_BINARY } from "../../lab/recipe/cache.js";
import { packageSources } from "../../lab/recipe/sources.js";
import { bundleCallee, connectCallee, type Callee } from "./line-calls.js";

export const MAIL_HOST = "mail.example.org";
export const ALERTMANAGER = "http://127.0.0.1:9093";
export const MAILBOX = "/home/anna/Maildir/new"; // of anna@example.org
export const PASSWORD = "a long password";

const PACKAGES = ["exim4-daemon-light", "openssl", "prometheus-alertmanager"];
const BOOTSTRAP_TIMEOUT_MS = 600_000;

const EXIM = `
primary_hostname = ${MAIL_HOST}
local_interfaces = 127.0.0.1
daemon_smtp_ports = 25 : 26 : 587 : 465
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = \${if eq{$received_port}{26}{/nowhere}{/etc/receivers/mail.pem}}
tls_privatekey = /etc/receivers/mail.key
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = recipient
spool_directory = /run/exim
log_file_path = /run/exim/%s.log
domainlist local_domains = example.org

begin acl
recipient:
  deny condition = \${if or{{eq{$received_port}{587}}{eq{$received_port}{465}}}}
       !authenticated = *
  accept domains = +local_domains
  deny message = relay not permitted

begin routers
anna:
  driver = accept
  transport = keep

begin transports
keep:
  driver = appendfile
  directory = /home/anna/Maildir
  maildir_format
  user = anna

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{vigie}}{eq{$auth3}{${PASSWORD}}}}}
  server_set_id = $auth2
`;

const ALERTMANAGER_CONFIG = `
route: { receiver: nobody }
receivers: [{ name: nobody }]
`;

const ENTER = `
lower=$1 folder=$2 files=$3 node=$4
mount -t tmpfs -o mode=755 tmpfs "$folder"
cd "$folder"
mkdir changes work root
mount -t overlay -o lowerdir="$lower",upperdir=changes,workdir=work overlay root
mount -t proc proc root/proc
mount -t tmpfs -o mode=755 tmpfs root/run
mount -t tmpfs -o mode=755 tmpfs root/dev
for file in null zero random urandom; do cp -a /dev/$file root/dev/; done
ip link set lo up
echo '127.0.0.1 localhost ${MAIL_HOST}' > root/etc/hosts
mkdir -p root/etc/receivers root/run/exim root/usr/lib/vigie
cp "$files"/* root/etc/receivers/
cp "$node" root/usr/lib/vigie/node
chroot root openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${MAIL_HOST} \\
  -addext subjectAltName=DNS:${MAIL_HOST} -keyout /etc/receivers/mail.key -out /etc/receivers/mail.pem 2> /dev/null
chroot root chown Debian-exim: /run/exim /etc/receivers/mail.key
chroot root useradd --create-home anna
# Where Debian's Exim looks by itself: with another file it loses the right to deliver.
mv root/etc/receivers/exim.conf root/etc/exim4/exim4.conf
chroot root exim4 -bdf -odi < /dev/null > exim.log 2>&1 &
chroot root prometheus-alertmanager --config.file=/etc/receivers/alertmanager.yml --storage.path=/run/alertmanager \\
  --web.listen-address=127.0.0.1:9093 --cluster.listen-address= < /dev/null > alertmanager.log 2>&1 &
for port in 25 9093; do
  for n in $(seq 100); do
    (exec 3<>/dev/tcp/127.0.0.1/$port) 2> /dev/null && break
    sleep 0.1
  done
done
NODE_EXTRA_CA_CERTS=/etc/receivers/mail.pem chroot root /usr/lib/vigie/node /etc/receivers/serve-channels.cjs`;

export async function openReceivers(suite: Suite): Promise<Callee> {
  const lower = await ensureRoot(suite);
  const folder = mkdtempSync(join(tmpdir(), "vigie-receivers-"));
  const files = join(folder, "files");
  mkdirSync(files);
  mkdirSync(join(folder, "root"));
  await writeFiles(files);
  const words = ["bash", "-ec", ENTER, "bash", lower, join(folder, "root"), files, NODE_BINARY];
  const callee = connectCallee([
    "unshare",
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child", // and with the shell all that it started
    ...words,
  ]);
  return {
    ...callee,
    end: async () => {
      await callee.end();
      rmSync(folder, { recursive: true });
    },
  };
}

async function writeFiles(folder: string): Promise<void> {
  const texts = {
    "exim.conf": EXIM,
    "alertmanager.yml": ALERTMANAGER_CONFIG,
    "serve-channels.cjs": await bundleCallee("serve-channels.ts"),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
}

/** The root that all tests of a release start from: made once, then only read. */
async function ensureRoot(suite: Suite): Promise<string> {
  await ensurePackages((line) => console.log(line));
  const sources = await packageSources(suite);
  const hash = createHash("sha256")
    .update(JSON.stringify([PACKAGES, sources]))
    .digest("hex")
    .slice(0, 8);
  const root = join(cacheRoot(), `receivers-${suite}-${hash}`);
  mkdirSync(cacheRoot(), { recursive: true, mode: 0o700 });
  await alone(`${root}.building`, `builds the receivers of Debian ${suite}`, async () => {
    if (existsSync(root)) return;
    rmSync(`${root}.unfinished`, { recursive: true, force: true });
    console.log(`packages of Debian ${suite}: ${PACKAGES.join(", ")}`);
    const argv = ["mmdebstrap", "--variant=minbase", "--mode=root", `--include=${PACKAGES.join(",")}`];
    const apt = ['Apt::Install-Recommends "false"', 'Acquire::Languages "none"'].map(
      (it) => `--aptopt=${it}`,
    );
    await runHost([...argv, ...apt, suite, `${root}.unfinished`, ...sources], {
      timeoutMs: BOOTSTRAP_TIMEOUT_MS,
    });
    renameSync(`${root}.unfinished`, root);
  });
  return root;
}
