import { describe, expect, test } from "vitest";
import { parseConfigData } from "../../agent/src/sources/ganeti-config.js";
import { parseNodeList } from "../../agent/src/sources/gnt-list.js";
import { parseLvmReport } from "../../agent/src/sources/lvm-report.js";
import { logicalVolumes } from "../../agent/src/sources/lvm-volumes.js";
import { fixture, fixturesAbsent, fixturesIn } from "./fixtures.js";

const CONFIGS = fixturesIn("ganeti/config").filter((path) => path.includes("cluster_config_"));
const SECRET = "d3c3fd475fcbaf5fd177fb245ac43b71247ada38";

describe.skipIf(fixturesAbsent)("sample configurations of Ganeti 2.7 to 3.1", () => {
  test.each(CONFIGS)("%s says the same of the disks as every other release", (path) => {
    const { disksOf, damaged, clusterTags, serial } = parseConfigData(fixture(path));
    expect(damaged).toEqual([]);
    expect(clusterTags).toEqual(["mytag"]);
    expect(serial).toBeGreaterThan(7600);
    expect([...disksOf.keys()].sort()).toEqual(["1", "2", "3"].map((n) => `instance${n}.example.com`));
    expect(disksOf.get("instance1.example.com")).toMatchObject([
      {
        index: 0,
        type: "drbd",
        sizeMib: 1024,
        nodeA: "node1.example.com",
        nodeB: "node3.example.com",
        minorA: 0,
        minorB: 0,
        port: 32100,
        dataLv: "xenvg/5c390722-6a7a-4bb4-9cef-98d896a8e6b1.disk0_data",
        metaLv: "xenvg/5c390722-6a7a-4bb4-9cef-98d896a8e6b1.disk0_meta",
      },
    ]);
    expect(disksOf.get("instance3.example.com")).toMatchObject([
      { type: "plain", dataLv: "xenvg/b27a576a-13f7-4f07-885c-63fcad4fdfcc.disk0", sizeMib: 1280 },
    ]);
  });

  test.each(CONFIGS)("the shared secret does not come out of %s", (path) => {
    const { disksOf, damaged } = parseConfigData(fixture(path));
    expect(JSON.stringify([...disksOf, ...damaged])).not.toContain(SECRET.slice(0, 8));
  });
});

describe.skipIf(fixturesAbsent)("other samples", () => {
  test("a node list for people is not the list that was asked for: every line is damaged", () => {
    const { items, damaged } = parseNodeList(fixture("issues/ganeti-1007/gnt-node_list.txt"));
    expect(items).toEqual([]);
    expect(damaged).not.toEqual([]);
  });

  test("what lvs warns of without a report is not an empty report", () => {
    for (const path of fixturesIn("ganeti/lvm")) {
      expect(() => parseLvmReport(fixture(path), "lv")).toThrow("there is no report");
    }
  });

  test("the volumes of Ganeti's own sample keep their devices, tags and sizes", () => {
    const mond = JSON.parse(fixture("generated/mond/lv.json")) as { data: Record<string, string | number>[] };
    const rows = mond.data.map((volume) => ({
      vg_name: volume["vg_name"],
      lv_name: volume["name"],
      lv_uuid: volume["uuid"],
      lv_attr: volume["attr"],
      lv_size: String(volume["size"]),
      lv_tags: volume["tags"],
      segtype: volume["segtype"],
      seg_size: String(volume["seg_size"]),
      devices: volume["devices"],
    }));
    const report = parseLvmReport(JSON.stringify({ report: [{ lv: rows }] }), "lv");
    expect(logicalVolumes(report.rows)).toMatchObject({
      damaged: [],
      items: [
        { attr: "-wi-ao", sizeBytes: 1073741824, segments: [{ devices: ["/dev/sda5(0)"] }] },
        { sizeBytes: 134217728, tags: ["originstname+instance1.example.com"] },
      ],
    });
  });
});
