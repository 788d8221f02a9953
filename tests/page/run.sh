#!/bin/bash
# The page of a run in a real browser: check.mjs says what is looked at.
#
# usage: run.sh [LAB…]     (default: the labs below; `all`: every lab there is)
#
# TCPLAB is the program.  Needs Chromium, node and npm, which brings the two packages that
# package-lock.json pins.  What this machine lacks is skipped, with the reason; with
# TCPLAB_MUST_RUN=1 a skip is a failure.
set -u
cd "$(dirname "$0")/../.." || exit 1
tcplab=${TCPLAB:-build/tcplab}
case $tcplab in /*) ;; *) tcplab=$PWD/$tcplab ;; esac
labs='handshake handshake-loopback admin-prohibited syn-cookies unplugged fast-retransmit
    zero-window path-mtu server-closes half-open'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

skip()
{
    if [ "${TCPLAB_MUST_RUN:-}" = 1 ]; then
        echo "FAIL  page: $1, and this must run here"
        exit 1
    fi
    echo "SKIP  page: $1"
    exit 0
}

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    skip "there is no Chromium"
for program in node npm; do
    command -v $program >/dev/null || skip "there is no $program (Node 18 or later, with npm)"
done

# Outside the tree that git sees, and only when the lock file has changed.
modules=build/page
mkdir -p $modules
if ! cmp -s tests/page/package-lock.json $modules/installed.json; then
    cp tests/page/package.json tests/page/package-lock.json $modules/
    # Without a network it says so within a minute.
    (cd $modules && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=2 \
        --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=8000 --fetch-timeout=20000) \
        >"$work/log" 2>&1 </dev/null || {
        grep -v 'complete log' "$work/log" | tail -n 5
        skip "npm cannot fetch axe-core and playwright-core from $(npm config get registry)"
    }
    cp tests/page/package-lock.json $modules/installed.json
fi

# play OUT LAB…: whatever a run's verdict, it has a page; verdicts are the live tests' concern.
play()
{
    local out=$1
    shift
    "$tcplab" run --quiet --jobs --out "$out" "$@" >"$work/log" 2>&1
    case $? in
    0 | 1 | 4) ;;
    3) cat "$work/log"; skip "this machine cannot play labs" ;;
    *) cat "$work/log"; exit 1 ;;
    esac
}

case ${1-} in
all) play "$work/out" --all ;;
'') play "$work/out" $labs ;;
*) play "$work/out" "$@" ;;
esac
[ -d "$work/out/unplugged" ] || play "$work/out" unplugged
# The largest of the catalogue, and one that is larger than any.
play "$work/out" congestion-reno
TCPLAB_ROOT=$PWD/tests/page play "$work/many" many
# A run that fails: by a transcript that wants more of one segment, and one segment more.
mkdir -p "$work/wrong/labs" "$work/wrong/expected" "$work/wrong/out/unplugged"
cp labs/unplugged.md "$work/wrong/labs/"
sed '/^retry2/s/1:19/1:29/; $a never: client.port > server.5001: Flags [R], seq 1, win 0, length 0' expected/unplugged.txt >"$work/wrong/expected/unplugged.txt"
TCPLAB_ROOT=$work/wrong "$tcplab" report unplugged --from "$work/out/unplugged" --slack 20s \
    --output "$work/wrong/out/unplugged/report.html" >"$work/log" || exit 1
grep -q FAIL "$work/wrong/out/unplugged/report.html" || {
    echo "FAIL  page: the wrong run has not failed"
    exit 1
}

# Captures of no lab: an ordinary one, more hosts than a page is wide, times since 1970, and
# frames of which nobody knows from whom to whom they went.
for capture in tcp-conversation ip6 times frames; do
    mkdir -p "$work/captures/$capture"
    "$tcplab" report tests/golden/decode/$capture.pcap \
        --output "$work/captures/$capture/report.html" >"$work/log" || exit 1
done

cp tests/page/check.mjs $modules/
rm -rf $modules/shots
mkdir $modules/shots
node $modules/check.mjs "$chromium" "$work" $modules/shots
status=$?
echo "page: how each looks at 400 (light), 1000 and 1800 pixels (dark) is in $modules/shots/"
exit $status
