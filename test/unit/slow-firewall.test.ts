/** Sixty stalls between two nodes whose firewall commands take their time, one after the other: each cut needs twenty. */
import { afterEach, expect, test } from "vitest";
import { inTurn } from "../../agent/src/in-turn.js";
import { diskOf, H1 } from "../simulator/stages.js";
import { onePair, settled, type Acting } from "./acting.js";

let acting: Acting | undefined;
afterEach(() => acting?.cluster.end());

test("sixty stalls are healed though each of the node's firewall commands takes 10 ms", async () => {
  const turn = inTurn();
  acting = await settled({
    instances: onePair(60),
    seams: {
      host: (host, node) =>
        node.name !== H1
          ? host
          : {
              ...host,
              run: async (command) => {
                if (!/ip6?tables$/.test(command.file)) return host.run(command);
                return turn(async () => {
                  await host.sleep(10, new AbortController().signal);
                  return host.run(command);
                });
              },
            },
    },
  });
  const { world, clock } = acting;
  const disks = Array.from({ length: 60 }, (_, n) => diskOf(world, `web${n + 1}`));
  await acting.stall(...disks);
  const moving = (): boolean => disks.every(({ blackhole }) => blackhole === "none");
  expect(await clock.advanceUntil(moving, 120_000)).toBe(true);
}, 120_000);
