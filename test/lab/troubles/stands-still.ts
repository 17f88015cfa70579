/**
 * Bash that ends when a resync's counters were the same for three seconds, and prints the minor's lines.
 * $minor is set; it fails when the resync ends or the connection is lost.
 *
 * @param counters names in /proc/drbd, as a regular expression
 */
export function standsStill(counters = "ns|nr|dw|dr|oos"): string {
  return `
still=0 before=
while [ $still -lt 3 ]; do
  sleep 1
  lines=$(awk -v minor="$minor:" '/^ *[0-9]+: /{show = ($1 == minor)} show' /proc/drbd)
  case $lines in *cs:SyncSource*) ;; *) echo "the resync did not stall: $lines" >&2; exit 1 ;; esac
  now=$(echo "$lines" | grep -o -E '(${counters}):[0-9]+' | tr '\\n' ' ')
  if [ "$now" = "$before" ]; then still=$((still + 1)); else still=0; fi
  before=$now
done
echo "$lines"
`;
}
