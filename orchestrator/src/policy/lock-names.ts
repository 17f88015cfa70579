/** What a plan's locks are about: they are names ("node h1", "pair h1 h2", "disk UUID", "instance web1"), made in runbooks/plan.ts. */
/** The nodes that these locks are about: a mirrored disk's two are in its pair. */
export function nodesIn(locks: readonly string[]): string[] {
  return locks.flatMap((lock) => {
    const [what, ...nodes] = lock.split(" ");
    return what === "node" || what === "pair" ? nodes : [];
  });
}
