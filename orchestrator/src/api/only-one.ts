/** A person types the beginning of an id; it must mean one thing. */
import { VigieError } from "@vigie/proto";

/** @throws VigieError NOT_FOUND, or INVALID_ARGUMENT where it begins several */
export function onlyOne<T>(found: readonly T[], what: string, id: string): T {
  const [first] = found;
  if (first === undefined || id === "") throw new VigieError("NOT_FOUND", `there is no ${what} ${id}`);
  if (found.length > 1)
    throw new VigieError("INVALID_ARGUMENT", `${id} begins more than one ${what}; type more of it`);
  return first;
}
