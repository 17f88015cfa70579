import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VigieError } from "./errors.js";
import { IDENTITY_ROLES, identityOf, identityUri, parseIdentity } from "./identity.js";

test("an agent's certificate beside its DNS name gives its role and node", () => {
  expect(parseIdentity("DNS:h1.example, URI:vigie://agent/h1.example")).toEqual({
    role: "agent",
    name: "h1.example",
  });
  expect(identityOf({ subjectaltname: "URI:vigie://operator/jean.dupont, IP Address:10.0.0.1" })).toEqual({
    role: "operator",
    name: "jean.dupont",
  });
});

test("other URIs and quoted names beside the identity do not disturb it", () => {
  const san = 'DNS:"a, URI:vigie://admin/mallory", URI:spiffe://x/y, URI:vigie://viewer/eve';
  expect(parseIdentity(san)).toEqual({ role: "viewer", name: "eve" });
});

test.each([
  ["no alternative name at all", ""],
  ["none of ours", "DNS:h1.example, URI:https://h1.example/"],
  ["two identities", "URI:vigie://viewer/eve, URI:vigie://admin/eve"],
  ["the same identity twice", "URI:vigie://viewer/eve, URI:vigie://viewer/eve"],
  ["an identity only inside a quoted DNS name", 'DNS:"x, URI:vigie://admin/mallory"'],
  ["a quoted identity", 'URI:"vigie://admin/eve"'],
  ["a second, quoted identity", 'URI:vigie://viewer/eve, URI:"vigie://admin/a,b"'],
  ["a role that does not exist", "URI:vigie://root/eve"],
  ["an empty name", "URI:vigie://admin/"],
  ["a path below the name", "URI:vigie://admin/eve/x"],
  ["a name with a query", "URI:vigie://admin/eve?x"],
  ["an upper-case scheme", "URI:VIGIE://admin/eve"],
  ["an upper-case name", "URI:vigie://admin/Eve"],
  ["a name that looks like an option", "URI:vigie://admin/-eve"],
  ["a line break in the name", "URI:vigie://admin/eve\n"],
  ["an unfinished quote", 'DNS:"x, URI:vigie://admin/eve'],
  ["a percent escape", "URI:vigie://admin/ev%65"],
])("refused: %s", (_, san) => {
  expect(() => parseIdentity(san)).toThrow(VigieError);
  expect(() => parseIdentity(san)).toThrow(/^the certificate/);
});

test("a certificate without the extension is refused", () => {
  expect(() => identityOf({})).toThrow(VigieError);
});

test("whatever DNS name stands beside it, quoted as Node does, no other identity is read", () => {
  const value = fc.string().map((text) => (/[",\\]|[^ -~]/.test(text) ? JSON.stringify(text) : text));
  fc.assert(
    fc.property(value, fc.constantFrom(...IDENTITY_ROLES), (dns, role) => {
      const identity = { role, name: "h1.example" };
      expect(parseIdentity(`DNS:${dns}, URI:${identityUri(identity)}`)).toEqual(identity);
    }),
  );
});

test("no text at all makes it fail in another way than by refusing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parseIdentity(`URI:vigie://${text}`);
      } catch (error) {
        expect(error).toBeInstanceOf(VigieError);
      }
    }),
  );
});
