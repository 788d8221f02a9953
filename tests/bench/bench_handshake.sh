#!/bin/bash
# `tcplab run handshake`, whole process, against handshake.sh, which does the same with ip,
# tcpdump and nc.  In pairs, so that what disturbs one disturbs the other; the median of the
# pairs' ratios has to be at most a third.
set -u
limit=0.333 pairs=${PAIRS:-15}
here=$(cd "$(dirname "$0")" && pwd)
TCPLAB=$(realpath "${TCPLAB:-$here/../../build/tcplab}")
cd "$here/../.." || exit 1
. tests/bench/time.sh

for program in ip tcpdump nc unshare; do
    command -v $program >/dev/null || skip "there is no $program"
done
if [ "${1-}" != inside ]; then
    # The script's named namespaces and bridge belong in nobody's machine but this one's.
    flags=-mn
    [ "$(id -u)" = 0 ] || flags=-rmn
    unshare $flags true 2>/dev/null || skip "this machine gives no namespaces"
    export TCPLAB
    exec unshare $flags "$0" inside
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# ip netns keeps its names below /run, and shows interfaces below /sys.
mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys || skip "cannot mount a /run of its own"

lab()
{
    "$TCPLAB" run handshake --quiet --out "$work/out"
}

script()
{
    rm -rf "$work/script"
    tests/bench/handshake.sh "$work/script"
}

compare "$pairs" lab script "tcplab run handshake" "handshake.sh" "$limit"
