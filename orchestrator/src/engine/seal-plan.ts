/** What an approval binds to. */
import { createHash } from "node:crypto";
import { Plan } from "@vigie/proto";

/** The hash that an approval binds to (I32): of everything in the plan but the hash. */
export function sealed(plan: Plan): Plan {
  const hash = createHash("sha256")
    .update(Plan.encode({ ...plan, hash: "" }).finish())
    .digest("hex");
  return { ...plan, hash };
}
