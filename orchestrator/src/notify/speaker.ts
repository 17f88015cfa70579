/** Who speaks, of orchestrators that may not know of each other. */

const SILENT_AFTER_MS = 60_000;

/**
 * The leader does. Where there is none for a while, the one whose own node still calls it master does too: without a
 * majority nothing is healed, and nobody else would say so. That a second one says the same is the lesser harm.
 *
 * @param namesUs our own node's agent reports, and names this node as master
 */
export function maySpeak(leads: boolean, namesUs: boolean, notLedForMs: number): boolean {
  return leads || (namesUs && notLedForMs >= SILENT_AFTER_MS);
}
