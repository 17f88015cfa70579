/**
 * The generated code is committed; this proves that it is what the .proto files give now. It generates into a
 * temporary folder with the same tools and compares byte by byte, so a forgotten `npm run generate` fails here.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const committed = join(here, "src/gen");
const scratch = mkdtempSync(join(tmpdir(), "vigie-gen-"));

try {
  const template = readFileSync(join(here, "buf.gen.yaml"), "utf8");
  writeFileSync(join(scratch, "buf.gen.yaml"), template.replace("out: src/gen", `out: ${scratch}/gen`));
  execFileSync("buf", ["generate", "--template", join(scratch, "buf.gen.yaml")], {
    cwd: here,
    stdio: "inherit",
  });
  const stale = differences(committed, join(scratch, "gen"));
  if (stale.length > 0) {
    console.error(
      `generated code is not what the .proto files give: ${stale.join(", ")}\nrun: npm run generate`,
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true });
}

function differences(left: string, right: string): string[] {
  const names = new Set([...files(left), ...files(right)]);
  return [...names].filter((name) => read(join(left, name)) !== read(join(right, name)));
}

function files(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // missing on one side: a difference
  }
}
