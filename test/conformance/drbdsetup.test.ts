import { describe, expect, test } from "vitest";
import { parseDrbdsetupShow } from "../../agent/src/sources/drbd-config.js";
import { parseDrbdsetupStatus } from "../../agent/src/sources/drbdsetup-status.js";
import { fixture, fixturesAbsent, fixturesIn } from "./fixtures.js";

const SHOWN = fixturesIn("ganeti/drbdsetup_show");
const SECRETS = ["shared_secret_123", "a6526cb6118297c9c82c7003924e236ceac0d867"];

const V4 = { localAddress: "192.0.2.1", peerAddress: "192.0.2.2", localPort: 11000, peerPort: 11000 };
const DISK = { backingDevice: "/dev/xenvg/test.data", metaDevice: "/dev/xenvg/test.meta" };

describe.skipIf(fixturesAbsent)("sample outputs of drbdsetup show", () => {
  test.each([
    ["bdev-drbd-8.0", { ...V4, ...DISK, minor: 63, protocol: "A" }],
    ["bdev-drbd-8.3", { ...V4, ...DISK, minor: 0, protocol: "C", koCount: 0 }],
    ["bdev-drbd-8.4", { ...V4, ...DISK, minor: 0, resource: "resource0", koCount: 7 }],
    ["bdev-drbd-8.4-no-disk-params", { ...V4, ...DISK, minor: 0, resource: "resource0" }],
    ["bdev-drbd-disk", { ...DISK, minor: 58, peerAddress: "", peerPort: 0, protocol: "" }],
    ["bdev-drbd-net-ip4", { minor: 59, backingDevice: "", peerAddress: "192.0.2.2", peerPort: 11002 }],
    ["bdev-drbd-net-ip6", { minor: 0, peerAddress: "2001:db8:66::1", localPort: 11048 }],
  ])("%s names its minor, devices and peer", (name, expected) => {
    const { resources, damaged } = parseDrbdsetupShow(fixture(`ganeti/drbdsetup_show/${name}.txt`));
    expect(damaged).toEqual([]);
    expect(resources).toMatchObject([expected]);
    expect(resources).toHaveLength(1);
  });

  test.each(SHOWN)("no shared secret comes out of %s, whole or cut anywhere", (path) => {
    const text = fixture(path);
    for (
      let length = 0;
      length <= text.length;
      length += length === text.length ? 1 : Math.min(5, text.length - length)
    ) {
      const parsed = JSON.stringify(parseDrbdsetupShow(text.slice(0, length)));
      for (const secret of SECRETS) expect(parsed).not.toContain(secret.slice(0, 8));
    }
  });
});

describe.skipIf(fixturesAbsent)("sample outputs of drbdsetup status", () => {
  test("both of DRBD 9's resources are healthy secondaries", () => {
    const { minors, damaged } = parseDrbdsetupStatus(fixture("ha_cluster_exporter/drbdsetup_status.json"));
    expect(damaged).toEqual([]);
    expect(minors).toMatchObject([
      { minor: 2, networkSentKib: 654, networkReceivedKib: 456, diskWrittenKib: 123456, bitmapUpdates: 321 },
      { minor: 3, pending: 3, unacknowledged: 4, applicationPending: 1, localCount: 2, outOfSyncKib: 0 },
    ]);
  });

  test("8.4's tool does not know --json, and says so in words", () => {
    const said = fixture("issues/ha_cluster_exporter-141/drbdsetup84_status_json.stderr.txt");
    expect(() => parseDrbdsetupStatus(said)).toThrow("is not JSON");
  });
});
