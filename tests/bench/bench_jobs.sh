#!/bin/bash
# All labs side by side: the whole takes at most 5 % longer than the longest lab's own protocol
# time, which is that from its first call to the end of its last.
set -u
limit=1.05
here=$(cd "$(dirname "$0")" && pwd)
TCPLAB=$(realpath "${TCPLAB:-$here/../../build/tcplab}")
cd "$here/../.." || exit 1
. tests/bench/time.sh

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$TCPLAB" doctor >"$work/doctor" 2>&1 || skip "this machine cannot run labs: see tcplab doctor"
elapsed "$TCPLAB" run --all --jobs --quiet --out "$work"
longest=0 name=
for events in "$work"/*/events.jsonl; do
    span=$(sed -nE 's/.*"began_ns":([0-9]+),"ended_ns":([0-9]+).*/\1 \2/p' "$events" | awk '
        NR == 1 { first = $1 }
        $2 > last { last = $2 }
        END { printf "%.0f", (last - first) / 1000 }')
    if [ "${span:-0}" -gt "$longest" ]; then
        longest=$span
        name=$(basename "$(dirname "$events")")
    fi
done
ratio=$(awk -v a="$microseconds" -v b="$longest" 'BEGIN { print b ? a / b : 999 }')
verdict "$ratio" "$limit" "$(awk -v a="$microseconds" -v b="$longest" -v n="$name" 'BEGIN {
    printf "all labs with -j %.2f s, %s alone %.2f s", a / 1e6, n, b / 1e6 }')"
