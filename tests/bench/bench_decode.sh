#!/bin/bash
# `tcplab decode FILE` against `tcpdump -n -r FILE`, on half a million packets, in pairs; and
# both have to print the same.  It must not take longer than tcpdump.
set -u
limit=1 pairs=${PAIRS:-5}
here=$(cd "$(dirname "$0")" && pwd)
TCPLAB=$(realpath "${TCPLAB:-$here/../../build/tcplab}")
cd "$here/../.." || exit 1
. tests/bench/time.sh

for program in tcpdump python3; do
    command -v $program >/dev/null || skip "there is no $program"
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
python3 tests/bench/make_capture.py 500000 >"$work/x.pcap" || exit 1

ours()
{
    "$TCPLAB" decode "$work/x.pcap" >"$work/ours"
}

theirs()
{
    tcpdump -n -r "$work/x.pcap" >"$work/theirs" 2>"$work/errors"
}

compare "$pairs" ours theirs "tcplab decode" "tcpdump -n -r" "$limit"
status=$?
cmp "$work/ours" "$work/theirs" || status=1
exit $status
