/** What LVM, device-mapper and drbdsetup print on a node with many mirrored disks. */
const VG = "kvmvg";
const VG_BYTES = 4_000_000_000_000;

/** Path → what it prints, by its first argument where it has several answers. */
export function toolOutputs(minors: number): Readonly<Record<string, string>> {
  const volumes = Array.from({ length: minors }, (_, n) =>
    ["data", "meta"].map((kind) => volumeOf(n, kind)),
  ).flat();
  return {
    "usr/sbin/lvs": report("lv", volumes.map(lvsRow)),
    "usr/sbin/vgs": report("vg", [
      {
        vg_name: VG,
        vg_uuid: uuid(0, 7),
        vg_attr: "wz--n-",
        vg_size: `${VG_BYTES}`,
        vg_free: "1000",
        pv_count: "1",
        vg_missing_pv_count: "0",
      },
    ]),
    "usr/sbin/pvs": report("pv", [
      {
        pv_name: "/dev/sda",
        pv_uuid: uuid(0, 8),
        vg_name: VG,
        pv_attr: "a--",
        pv_size: `${VG_BYTES}`,
        pv_free: "1000",
      },
    ]),
    "usr/sbin/dmsetup info": volumes.map(infoLine).join(""),
    "usr/sbin/dmsetup table": volumes.map(tableLine).join(""),
    "usr/sbin/drbdsetup show": Array.from({ length: minors }, (_, n) => shown(n)).join(""),
  };
}

interface Volume {
  readonly name: string;
  readonly uuid: string;
  readonly index: number; // of its device-mapper device
  readonly bytes: number;
}

function volumeOf(minor: number, kind: string): Volume {
  const meta = kind === "meta";
  const bytes = meta ? 134_217_728 : 21_474_836_480;
  return {
    name: `${diskUuid(minor)}.disk0_${kind}`,
    uuid: uuid(minor, meta ? 1 : 2),
    index: 2 * minor + Number(meta),
    bytes,
  };
}

function report(kind: string, rows: readonly object[]): string {
  return JSON.stringify({ report: [{ [kind]: rows }] });
}

function lvsRow({ name, uuid: lvUuid, index, bytes }: Volume): object {
  return {
    vg_name: VG,
    lv_name: name,
    lv_uuid: lvUuid,
    lv_attr: "-wi-ao----",
    lv_size: `${bytes}`,
    lv_tags: `originstname+web${index >> 1}.bench.example`,
    segtype: "linear",
    seg_size: `${bytes}`,
    devices: `/dev/sda(${index * 5000})`,
  };
}

function infoLine({ name, uuid: lvUuid, index }: Volume): string {
  const dmName = `${VG}-${name.replaceAll("-", "--")}`;
  return `${dmName}|LVM-${uuid(0, 7).replaceAll("-", "")}${lvUuid.replaceAll("-", "")}|253|${index}|1|Active\n`;
}

function tableLine({ name, index, bytes }: Volume): string {
  return `${VG}-${name.replaceAll("-", "--")}: 0 ${bytes / 512} linear 8:0 ${2048 + index * 40_000_000}\n`;
}

/** As drbdsetup 8.4 shows what Ganeti set up. */
function shown(minor: number): string {
  const port = 11_000 + minor;
  return `resource resource${minor} {
    options {
    }
    net {
        cram-hmac-alg   	"md5";
        shared-secret   	"0123456789abcdef0123456789abcdef01234567";
        after-sb-0pri   	discard-zero-changes;
        after-sb-1pri   	consensus;
    }
    _remote_host {
        address			ipv4 10.77.0.13:${port};
    }
    _this_host {
        address			ipv4 10.77.0.12:${port};
        volume 0 {
            device			minor ${minor};
            disk			"/dev/${VG}/${diskUuid(minor)}.disk0_data";
            meta-disk			"/dev/${VG}/${diskUuid(minor)}.disk0_meta";
            disk {
                size            	41943040s; # bytes
                resync-rate     	61440k; # bytes/second
                c-plan-ahead    	0; # 1/10 seconds
            }
        }
    }
}
`;
}

function diskUuid(minor: number): string {
  return `${minor.toString(16).padStart(8, "0")}-08f1-4a3d-b7dc-c5b81f07454f`;
}

/** Of LVM's shape. */
function uuid(minor: number, kind: number): string {
  const digits = minor.toString(16).padStart(4, "0");
  return `50bm${kind}6-JrcK-JQqt-338Z-1BJ2-${digits}-w6Ea4E`;
}
