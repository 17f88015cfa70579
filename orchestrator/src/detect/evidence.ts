/** Evidence and subjects as the rules fill them in. */
import { Evidence, Subject } from "@vigie/proto";
import type { EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";

export function endEvidence(view: EndView): Evidence {
  const { end, drbd, ageMs, stillMs, unknown } = view;
  return Evidence.create({
    node: end.node,
    ageMs: wholeMs(ageMs),
    drbd,
    stillMs: wholeMs(stillMs),
    text: unknown,
  });
}

/** As it can be kept and read again, whatever a clock said. */
function wholeMs(ms: number): number {
  return Math.min(Math.max(Math.round(ms), 0), Number.MAX_SAFE_INTEGER);
}

/** The disk by its instance, or by its end where Ganeti does not name it. */
export function resourceSubject(resource: Resource): Subject {
  const [first] = resource.ends;
  if (resource.instance === "") return Subject.create({ node: first?.node ?? "", minor: first?.minor });
  return Subject.create({
    instance: resource.instance,
    diskIndex: resource.diskIndex,
    node: first?.node ?? "",
    minor: first?.minor,
  });
}

export function endSubject(resource: Resource, { end }: EndView): Subject {
  return { ...resourceSubject(resource), node: end.node, minor: end.minor };
}

/** "web1.example disk/0", or "h2 minor 7" for a minor that Ganeti does not name. */
export function resourceName(resource: Resource): string {
  const [first] = resource.ends;
  return resource.instance === ""
    ? `${first?.node ?? "?"} minor ${first?.minor ?? "?"}`
    : `${resource.instance} disk/${resource.diskIndex}`;
}

/** The disk that a subject names: by instance and index, or by its end where Ganeti does not name it. */
export function isAbout(resource: Resource, subject: Subject): boolean {
  if (resource.instance !== "" && subject.instance !== "")
    return resource.instance === subject.instance && resource.diskIndex === subject.diskIndex;
  return resource.ends.some((end) => end.node === subject.node && end.minor === subject.minor);
}
