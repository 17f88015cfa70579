/** Every method of both services, by everybody who may knock (I35). */
import { status, type ServiceError } from "@grpc/grpc-js";
import {
  GatewayServiceService,
  IDENTITY_ROLES,
  OrchestratorServiceService,
  SessionRequest,
  SessionResponse,
  type OrchestratorServiceClient,
} from "@vigie/proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority, issueCertificate, type KeyPair } from "../ca/authority.js";
import { mayCall, ROLES } from "./roles.js";
import { answerOf, apiStage, call, type Answer, type ApiStage } from "./testing.js";

const METHODS = Object.values(OrchestratorServiceService);
const EVERY = [...METHODS, ...Object.values(GatewayServiceService)].map(({ path }) => path);

let stage: ApiStage;
let pairs: Record<string, KeyPair | undefined>;
beforeAll(async () => {
  stage = await apiStage();
  const stranger = await createAuthority();
  pairs = { "no certificate": undefined };
  pairs["another authority's admin"] = await issueCertificate(stranger, {
    role: "admin",
    name: "eve",
    days: 1,
  });
  pairs["an expired admin"] = await issueCertificate(
    stage.authority,
    { role: "admin", name: "old", days: 1 },
    new Date(Date.now() - 5 * 86_400_000),
  );
  for (const role of IDENTITY_ROLES)
    pairs[role] = await stage.certificate(role, role === "agent" ? "h3" : "anna");
});
afterAll(() => stage.end());

test("the table has exactly the methods of the generated services", () => {
  expect(Object.keys(ROLES).toSorted()).toEqual(EVERY.toSorted());
});

test("a method that is not in the table is nobody's", () => {
  expect(IDENTITY_ROLES.filter((role) => mayCall(role, "/vigie.v1.OrchestratorService/DropAll"))).toEqual([]);
  expect(IDENTITY_ROLES.filter((role) => mayCall(role, "toString"))).toEqual([]);
});

test("an operator may do what a viewer may, an admin what an operator may, and an agent only its session", () => {
  for (const path of EVERY) {
    if (mayCall("viewer", path)) expect(mayCall("operator", path), path).toBe(true);
    if (mayCall("operator", path)) expect(mayCall("admin", path), path).toBe(true);
    expect(mayCall("agent", path), path).toBe(path.endsWith("/Session"));
  }
  expect(EVERY.filter((path) => mayCall("orchestrator", path))).toEqual([]);
});

describe("over the wire", () => {
  test.each(["no certificate", "another authority's admin", "an expired admin"])(
    "%s reaches no method at all",
    async (who) => {
      const client = stage.client(pairs[who]);
      const [method] = METHODS;
      if (method === undefined) throw new Error("no methods");
      expect((await call(client, method)).code).toBe(status.UNAVAILABLE);
      expect((await openSession(client)).code).toBe(status.UNAVAILABLE);
    },
  );

  test.each([...IDENTITY_ROLES])("%s reaches exactly the methods of its row", async (role) => {
    const client = stage.client(pairs[role]);
    const reached: string[] = [];
    for (const method of METHODS) {
      const answer = method.responseStream ? await openWatch(client) : await call(client, method);
      if (answer.code === status.PERMISSION_DENIED) expect(answer.vigieCode).toBe("PERMISSION_DENIED");
      else reached.push(method.path);
    }
    const session = await openSession(client);
    if (session.code !== status.PERMISSION_DENIED) reached.push("/vigie.v1.GatewayService/Session");
    expect(reached.toSorted()).toEqual(EVERY.filter((path) => mayCall(role, path)).toSorted());
  });

  test("the port still answers after all that", async () => {
    const { orchestratorNode } = await stage.service.getStatus();
    expect(orchestratorNode).toBe("h1");
    const [method] = METHODS;
    if (method !== undefined) expect((await call(stage.client(pairs["viewer"]), method)).code).toBe(0);
  });
});

/** Opens the watch, and is answered when it stays open for a moment or ends with an error. */
function openWatch(client: OrchestratorServiceClient): Promise<Answer> {
  return new Promise((resolve) => {
    const watch = client.watch({ afterCursor: 0 });
    watch.on("error", (error: ServiceError) => resolve(answerOf(error)));
    watch.on("data", () => undefined);
    watch.on("metadata", () => undefined);
    setTimeout(() => (resolve(answerOf(null)), watch.cancel()), 200);
  });
}

/** Says hello as h3 and hears the welcome, or how the stream ended. */
function openSession(client: OrchestratorServiceClient): Promise<Answer> {
  const hello = { protocolVersion: 2, node: "h3" };
  return new Promise((resolve) => {
    const session = client.makeBidiStreamRequest(
      GatewayServiceService.session.path,
      (value: SessionRequest) => Buffer.from(SessionRequest.encode(value).finish()),
      (bytes: Buffer) => SessionResponse.decode(bytes),
    );
    session.on("error", (error: ServiceError) => resolve(answerOf(error)));
    session.on("data", () => (resolve(answerOf(null)), session.cancel()));
    session.write(SessionRequest.fromPartial({ body: { $case: "hello", value: hello } }));
  });
}
