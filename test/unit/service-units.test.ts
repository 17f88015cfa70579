/** What the units of systemd promise, that no other test would miss. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./imports.js";

test.each(["vigie-agent", "vigie-orchestrator"])(
  "%s is refused io_uring, which many sites switch off, and goes on instead of being killed",
  (name) => {
    const unit = readFileSync(join(ROOT, "deploy/systemd", `${name}.service`), "utf8").split("\n");
    expect(unit).toContain("SystemCallFilter=~io_uring_setup io_uring_enter io_uring_register");
    expect(unit).toContain("SystemCallErrorNumber=EPERM");
  },
);
