#!/bin/bash
# The wire beside the kernel's own bridge and, where there is one, netem: what it adds to an
# asked delay (median and 99th percentile, beyond what the bridge takes: at most 100 us each),
# how exact a rate is (1 %), and what it carries on one processor (2 Gbit/s, or 200,000 frames
# a second).
set -u
here=$(cd "$(dirname "$0")" && pwd)
TCPLAB=$(realpath "${TCPLAB:-$here/../../build/tcplab}")
cd "$here/../.." || exit 1
. tests/bench/time.sh

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$TCPLAB" doctor >"$work/doctor" 2>&1 || skip "this machine cannot run labs: see tcplab doctor"
"$(dirname "$TCPLAB")/bench-wire" >"$work/figures" || exit 1
awk '
    { v[$1] = $2 }
    function judge(name, value, limit, unit, good) {
        printf "%s  %-46s %10.1f %s (limit %s)\n", good ? "ok  " : "FAIL", name, value, unit, limit
        bad = bad || !good
    }
    function added(name, p, x) {
        x = v[name "_" p] - v["bridge_" p]
        judge("added to 10 ms, " (p == "p50" ? "median" : "99th percentile"), x, "100", "us", x < 100)
    }
    END {
        printf "      travel over the bridge: median %.1f us, 99th percentile %.1f us\n",
            v["bridge_p50"], v["bridge_p99"]
        printf "      over a wire without properties: %.1f us, %.1f us\n", v["wire_p50"], v["wire_p99"]
        if ("netem_p50" in v)
            printf "      added by netem to 10 ms: %.1f us, %.1f us\n",
                v["netem_p50"] - v["bridge_p50"], v["netem_p99"] - v["bridge_p99"]
        else
            print "      no netem here to compare with"
        added("delay", "p50"); added("delay", "p99")
        error = v["rate_error"] < 0 ? -v["rate_error"] : v["rate_error"]
        judge("error of a rate of 100 Mbit/s", error, "1", "%", error < 1)
        good = v["megabits"] >= 2000 || v["packets"] >= 200000
        judge("carried on one processor, frames of 1514 bytes", v["megabits"], "2000", "Mbit/s", good)
        printf "      that is %d frames a second\n", v["packets"]
        exit bad
    }' "$work/figures"
