#!/bin/sh
# Labs inside kernels, under qemu.
#
# usage: run.sh labs KERNEL…   in each, side by side: every lab, in one boot: all pass.  And a
#                              few, in one boot each time, twice: so is every packet, ports,
#                              initial sequence numbers and TCP's time stamps included, the
#                              same, and the moments of capture are to a microsecond; and
#                              their transcripts are those of the boot with all to the byte.
#                              (qemu's virtual clock repeats to some nanoseconds; dozens of
#                              labs later, two boots have once in a while been seen some
#                              microseconds apart, and then ports and sequence numbers, which
#                              follow from the clock, are others.)
#        run.sh compare A B  what `tcplab compare --kernel` says of Linux before 6.5 and after:
#                              a difference where SYNs are repeated as the kernel likes, none
#                              where the setting makes both alike, nothing where one lacks it
#        run.sh faults         with one kernel of the cache: images that are none, a kernel
#                              without veth, one that panics and one that hangs
#
# TCPLAB is the program.  What this machine cannot do is skipped, with the reason; with
# TCPLAB_MUST_RUN=1 a skip is a failure.
set -u
cd "$(dirname "$0")/../.." || exit 1
tcplab=${TCPLAB:-build/tcplab}
case $tcplab in /*) ;; *) tcplab=$PWD/$tcplab ;; esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0 command=run

fail()
{
    printf 'FAIL  %s\n' "$1"
    [ -s "$work/log" ] && sed 's/^/      /' "$work/log"
    failed=1
}

skip()
{
    if [ "${TCPLAB_MUST_RUN:-}" = 1 ]; then
        echo "FAIL  $1, and this must run here"
        exit 1
    fi
    echo "SKIP  kernels: $1"
    exit 0
}

# expect NAME STATUS PATTERN… -- ARGUMENTS…: `tcplab $command ARGUMENTS` ends with that status
# and prints each pattern.
expect()
{
    name=$1 wanted=$2
    shift 2
    : >"$work/patterns"
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>"$work/patterns"
        shift
    done
    shift
    "$tcplab" "$command" "$@" >"$work/log" 2>&1
    status=$?
    if [ "$status" != "$wanted" ]; then
        fail "$name: status $status, not $wanted"
        return
    fi
    while IFS= read -r pattern; do
        grep -q -e "$pattern" "$work/log" || { fail "$name: no \"$pattern\""; return; }
    done <"$work/patterns"
    echo "PASS  $name"
}

# play KERNEL FOLDER LAB… | --all: in the background, so that a trap need not wait for it
play()
{
    kernel=$1 folder=$2
    shift 2
    "$tcplab" run --quiet --kernel "$kernel" --out "$folder" "$@" >"$work/log" 2>&1 &
    guest=$!
    wait "$guest" && return 0
    fail "$kernel: not all labs passed"
    return 1
}

# Packets with their moments, calls without.
digest()
{
    "$tcplab" decode -tt -S "$1/capture.pcapng" && sed 's/_ns": *[0-9]*/_ns"/g' "$1/events.jsonl"
}

# Whether two folders of evidence tell the same.
same_evidence()
{
    digest "$1" >"$work/first" && digest "$2" >"$work/second" || return 1
    paste -d '\n' "$work/first" "$work/second" | awk '
        { stamped = $1 ~ /^[0-9]+[.][0-9]+$/ }
        NR % 2 { moment = stamped ? $1 : ""; if (stamped) $1 = ""; first = $0; next }
        { other = stamped ? $1 : ""; if (stamped) $1 = "" }
        $0 != first { print first " |" $0; wrong = 1 }
        moment != "" && (moment - other > 1.5e-6 || other - moment > 1.5e-6) {
            print moment " and " other; wrong = 1
        }
        END { exit wrong }'
}

same_transcript()
{
    cmp "$1/transcript.txt" "$2/transcript.txt"
}

# same COMPARISON KERNEL TURN OTHER-TURN LAB…
same()
{
    compare=$1 kernel=$2 first=$3 second=$4
    shift 4
    for lab; do
        "$compare" "$work/$first/$lab" "$work/$second/$lab" >"$work/log" 2>&1 && continue
        fail "$kernel: $lab: $first and $second gave different evidence"
        return 1
    done
}

# Every lab in one kernel; $work is its own.
labs_in()
{
    kernel=$1
    shift
    play "$kernel" "$work/once" "$@" && play "$kernel" "$work/again" "$@" &&
        same same_evidence "$kernel" once again "$@" && echo "PASS  $kernel: $# labs, twice the same"
    play "$kernel" "$work/all" --all || return
    count=$(find "$work/all" -name result.json | wc -l)
    [ "$count" -ge 60 ] || fail "$kernel: fewer labs than there are"
    same same_transcript "$kernel" once all "$@" && echo "PASS  $kernel: all labs"
}

# What each kernel's labs say is printed when all have ended.
labs()
{
    top=$work pids=
    for kernel; do
        (
            trap - EXIT
            trap '[ -z "$guest" ] || kill "$guest"; exit 1' HUP INT TERM
            work=$top/$kernel guest=
            mkdir "$work"
            labs_in "$kernel" handshake conversation unplugged fast-retransmit
            exit "$failed"
        ) >"$top/$kernel.log" 2>&1 &
        pids="$pids $!"
    done
    trap 'kill $pids; exit 1' HUP INT TERM
    for pid in $pids; do
        wait "$pid" || failed=1
    done
    for kernel; do
        cat "$top/$kernel.log"
    done
}

# A lab with its transcript, in which nothing is sent.
write_lab()
{
    cat >"$work/$1.md" <<EOF
# $1

\`\`\`lab
requires program sh
host client 10.0.0.1/24
host server 10.0.0.2/24
capture client server "tcp"

$2
\`\`\`
EOF
    printf 'quiet 1ms\n' >"$work/$1.txt"
}

faults()
{
    image=$("$tcplab" kernel list | sed -n 's/  .*//p' | sed -n 1p)
    [ -n "$image" ] || skip 'no kernel in the cache; `make kernels` fetches them'
    folder=${XDG_CACHE_HOME:-$HOME/.cache}/tcplab/kernels/$image

    echo 'this is a text' >"$work/text"
    head -c 100000 "$folder/image" >"$work/truncated"
    cp "$folder/image" "$work/image"
    cp -r "$folder/modules" "$work/modules"
    find "$work/modules" -name 'veth.ko*' -exec rm {} +
    write_lab panic 'run client sh -c "echo c > /proc/sysrq-trigger"'
    write_lab hang 'run client sh -c "echo freeze > /sys/power/state"'

    expect 'a text file is no kernel' 2 text -- --kernel "$work/text" handshake
    expect 'nor is half an image' 2 truncated -- --kernel "$work/truncated" handshake
    expect 'modules without veth' 2 'has no cables (veth)' 'hint: .*--modules' -- \
        --out "$work/out" --kernel "$folder/image" --modules "$work/modules" handshake
    expect 'labs before and after a panic and a hang' 3 \
        '^tcplab: kernel panic in lab panic, on Linux .*: sysrq triggered crash' \
        '^  .*sysrq_handle_crash' \
        '^tcplab: the guest hung: nothing came from it for 20s in lab hang' \
        '^PASS  closed-port' '^ERROR panic' '^ERROR hang' '^PASS  handshake' \
        '4 labs: 2 passed, 2 could not be run' -- \
        --quiet --hang-after 20s --out "$work/out" --kernel "$image" \
        closed-port "$work/panic.md" "$work/hang.md" handshake
    [ -e "$work/out/panic/result.json" ] && fail 'a panic left evidence'
    expect 'no modules at all' 3 'this kernel has no bridge' 'hint: .*--modules DIR' -- \
        --quiet --out "$work/out" --kernel "$work/image" handshake
}

# The same scene three times: with the default, with the old way, only with the new one.
compare()
{
    scene='neighbour client server
unplug server
client connect server 1234 &
wait client > server [S] x4 within 20s'
    write_lab default "$scene"
    write_lab classic "sysctl? client net.ipv4.tcp_syn_linear_timeouts 0
$scene"
    write_lab linear "requires sysctl net.ipv4.tcp_syn_linear_timeouts
$scene"
    for gap in +0 +1s +2s +4s; do
        printf '%s client.* > server.1234: Flags [S], … lost\n' "$gap"
    done >"$work/expected"
    for lab in default classic linear; do cp "$work/expected" "$work/$lab.txt"; done

    command=compare
    expect 'SYNs are repeated at other times since Linux 6.5' 1 \
        'SYN retry 2 after 1.0[0-9]* s instead of 2.0[0-9]* s' \
        'tcp_syn_linear_timeouts of client, server: not set in a, 4 in b' -- \
        --out "$work/out" --kernel "$1" --kernel "$2" "$work/default.md"
    expect 'but not with the old setting' 0 '"same": true' '"kernel": "6.*"' -- \
        --out "$work/out" --format json --kernel "$1" --kernel "$2" "$work/classic.md"
    expect 'nor is one kernel another than itself' 0 '^SAME  4 packets' 'again/default: ' -- \
        --out "$work/out" --kernel "$1" --kernel "$1" "$work/default.md"
    expect 'where one lacks the setting nothing is compared' 4 \
        "^tcplab: linear was not played on $1: this kernel has no" -- \
        --out "$work/out" --kernel "$1" --kernel "$2" "$work/linear.md"
}

command -v qemu-system-x86_64 >/dev/null || skip 'no qemu-system-x86_64'
mode=$1
shift
case $mode in
labs) labs "$@" ;;
compare) compare "$@" ;;
faults) faults ;;
*) exit 2 ;;
esac
exit $failed
