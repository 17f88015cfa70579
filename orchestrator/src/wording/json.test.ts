import {
  ConnectionState,
  DrbdMinor,
  Health,
  IncidentKind,
  ResourceStatus,
  Role,
  WatchResponse,
} from "@vigie/proto";
import { expect, test } from "vitest";
import { toJson } from "./json.js";
import { word } from "./words.js";

test("DRBD states have the kernel's spelling, other enums are lower-case words", () => {
  expect(word(ConnectionState.SYNC_SOURCE)).toBe("SyncSource");
  expect(word(Role.UNKNOWN)).toBe("Unknown");
  expect(word(IncidentKind.STALLED_SYNC)).toBe("stalled-sync");
  expect(word(ConnectionState.UNSPECIFIED)).toBe("?");
  expect(word(Health.UNRECOGNIZED)).toBe("unrecognized");
});

test("zeros, falses and what is unset are there, under the names of the .proto files", () => {
  const json = toJson(
    ResourceStatus.fromPartial({ instance: "web1", health: Health.OK, ends: [{ node: "h1" }] }),
  );
  expect(json).toMatchObject({ instance: "web1", disk_index: 0, health: "ok", size_mib: 0 });
  expect(json).toMatchObject({ ends: [{ node: "h1", fresh: false, drbd: null, still_ms: 0 }] });
  const minor = toJson(DrbdMinor.fromPartial({ connection: ConnectionState.WF_CONNECTION }));
  expect(minor).toMatchObject({
    connection: "WFConnection",
    role: null,
    out_of_sync_kib: null,
    resync: null,
  });
});

test("a oneof is an object with its one member, and text stays text", () => {
  const event = WatchResponse.fromPartial({
    cursor: 7,
    event: { $case: "node", value: { node: "h1", text: "HEALTH" } },
  });
  expect(toJson(event)).toEqual({
    cursor: 7,
    unix_ms: 0,
    event: { node: { node: "h1", reporting: false, text: "HEALTH" } },
  });
});
