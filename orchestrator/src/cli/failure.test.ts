/** What does not work, and what a person is told. */
import { status as grpcStatus } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, issueCertificate } from "../ca/authority.js";
import { writeKeyPair } from "../ca/files.js";
import { NEVER, Refusal } from "./testing/server.js";
import { openStage, type Stage } from "./testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("what the orchestrator refuses", () => {
  test.each([
    ["NOT_FOUND", grpcStatus.NOT_FOUND, 3],
    ["PERMISSION_DENIED", grpcStatus.PERMISSION_DENIED, 4],
    ["GUARD_REFUSED", grpcStatus.FAILED_PRECONDITION, 6],
    ["NOT_LEADING", grpcStatus.FAILED_PRECONDITION, 6],
    ["CONFLICT", grpcStatus.ABORTED, 6],
    ["PLAN_CHANGED", grpcStatus.FAILED_PRECONDITION, 6],
    ["INVALID_ARGUMENT", grpcStatus.INVALID_ARGUMENT, 2],
    ["VERIFY_FAILED", grpcStatus.INTERNAL, 1],
  ] as const)("%s has its exit code, its message, and --json says it too", async (code, status, exit) => {
    stage.answers.approveRun = () => {
      throw new Refusal(status, code, "the run r-1 is what it is");
    };
    const plain = await stage.vigie("approve r-1 --hash x");
    expect(plain.code).toBe(exit);
    expect(plain.err).toMatch(/^vigie: the run r-1 is what it is\n/);
    const json = await stage.vigie("approve r-1 --hash x --json");
    expect(JSON.parse(json.err)).toMatchObject({
      error: { code, message: "the run r-1 is what it is", exit_code: exit },
    });
  });

  test("a refusal without Vigie's own code is judged by its gRPC status", async () => {
    stage.answers.getRun = () => {
      throw new Refusal(grpcStatus.UNAUTHENTICATED, undefined, "who are you\u001b[2J");
    };
    const { code, err } = await stage.vigie("run show r-1");
    expect(code).toBe(4);
    expect(err).not.toContain("\u001b");
  });

  test("an answer that does not come in time is exit 5", async () => {
    stage.answers.listNodes = () => NEVER;
    const { code, err } = await stage.vigie("nodes --timeout 0.3");
    expect(code).toBe(5);
    expect(err).toContain("did not answer within 0.3 s");
  });
});

describe("who is at the other end", () => {
  test("nobody is exit 5, and says what to do", async () => {
    const { code, err } = await stage.vigie("status --server localhost:1");
    expect(code).toBe(5);
    expect(err).toMatch(/^vigie: the orchestrator at localhost:1 cannot be reached: nothing listens there/);
    expect(err).toContain("next: is it running? systemctl status vigie-orchestrator");
  });

  test("an orchestrator of another name is not believed", async () => {
    const { code, err } = await stage.vigie(`status --server 127.0.0.1:${stage.port}`);
    expect(code).toBe(5);
    expect(err).toContain("its certificate is another host's");
  });

  test("an orchestrator of another authority is not believed", async () => {
    const other = await createAuthority();
    writeKeyPair(stage.folder, "other-ca", other);
    const { code, err } = await stage.vigie(
      `status --config ${stage.config("other.toml", { ca: "other-ca.pem" })}`,
    );
    expect(code).toBe(5);
    expect(err).toContain("its certificate is not of the authority in `ca`");
  });

  test("a certificate of another authority is refused by the server", async () => {
    const stranger = await issueCertificate(await createAuthority(), {
      role: "operator",
      name: "eve",
      days: 1,
    });
    writeKeyPair(stage.folder, "eve", stranger);
    const { code, err } = await stage.vigie(
      `status --config ${stage.config("eve.toml", { certificate: "eve.pem", key: "eve.key" })}`,
    );
    expect(code).toBe(5);
    expect(err).toMatch(/refused your certificate|may not be of its authority/);
  });
});
