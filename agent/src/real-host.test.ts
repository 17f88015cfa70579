import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createRealHost } from "./real-host.js";

test("a file of any length costs no more memory than one that is read: beyond that it is refused by its name (I38)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vigie-host-"));
  const path = join(folder, "job-7");
  const host = createRealHost();
  try {
    writeFileSync(path, "small");
    expect(await host.readFile(path)).toBe("small");
    truncateSync(path, 200 * 1024 * 1024);
    await expect(host.readFile(path)).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      message: `${path} has 209715200 bytes; no more than 16777216 are read`,
    });
    await expect(host.readFile(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(await host.readFile("/proc/swaps")).toContain("Filename");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
