#!/bin/bash
# listener, client and sniffer against each other, in a network namespace of their own.
#
# usage: programs.sh      (the programs are those in $BUILD, by default build/)
#
# Nothing here sleeps: each step waits for the line that says that the one before is done.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 1

skip()
{
    echo "SKIP programs.sh: $1"
    [ -n "${TCPLAB_MUST_RUN-}" ] && exit 1
    exit 0
}

if [ "${1-}" != inside ]; then
    export BUILD
    command -v ip >/dev/null || skip "there is no ip (iproute2)"
    flags=-n
    [ "$(id -u)" = 0 ] || flags=-rn
    unshare $flags true 2>/dev/null || skip "this machine gives no network namespace"
    exec unshare $flags "$0" inside
fi

ip link set lo up
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

# start NAME COMMAND…: runs it; its lines can be awaited, its pid is in $pid
start()
{
    name=$1
    shift
    mkfifo "$work/$name.fifo"
    "$@" >"$work/$name.fifo" 2>&1 &
    pid=$!
    exec {fd}<"$work/$name.fifo"
    : >"$work/$name"
}

# await WORDS: reads lines of the program that was started last, until one has WORDS
await()
{
    while IFS= read -r -t 10 line <&"$fd"; do
        echo "$line" >>"$work/$name"
        case $line in *"$1"*) return ;; esac
    done
    echo "FAIL $name: nothing with \"$1\" in:"
    cat "$work/$name"
    exit 1
}

# finish STATUS: reads the rest and compares the exit status
finish()
{
    cat <&"$fd" >>"$work/$name"
    exec {fd}<&-
    wait "$pid"
    status=$?
    [ "$status" = "$1" ] && return
    echo "FAIL $name: exit status $status, expected $1"
    failed=1
}

# expect FILE: its text, with the ports that the kernel chose as PORT, is standard input's
expect()
{
    sed -E 's/\b[34567][0-9]{4}\b/PORT/g' "$work/$1" >"$work/$1.got"
    if diff -u - "$work/$1.got"; then
        echo "ok $1"
    else
        echo "FAIL $1: the difference is above (-: expected, +: observed)"
        failed=1
    fi
}

# status NAME STATUS WORDS COMMAND…: it ends so, and says WORDS
status()
{
    local test=$1 wanted=$2 words=$3
    shift 3
    "$@" >"$work/$test" 2>&1 </dev/null
    local got=$?
    if [ "$got" = "$wanted" ] && grep -qF -e "$words" "$work/$test"; then
        echo "ok $test"
    else
        echo "FAIL $test: exit status $got, expected $wanted and \"$words\":"
        cat "$work/$test"
        failed=1
    fi
}

# ------------------------------------------------------------------- one talk
start sniffer "$BUILD/sniffer" -i lo -c 4 'tcp port 1234 and tcp[tcpflags] & (tcp-syn|tcp-push) != 0'
await listening
sniffer_fd=$fd sniffer_pid=$pid

start listener "$BUILD/listener" --once --echo --ip 4 1234
await listen:
"$BUILD/client" 127.0.0.1 1234 hello world >"$work/client" 2>&1 || failed=1
finish 0

expect listener <<'END'
listen: 0.0.0.0:1234, backlog 128
accept: 127.0.0.1:PORT
recv: 12 bytes "hello world\n"
send: 12 bytes "hello world\n"
recv: 0, the peer has closed
close: 0
END
expect client <<'END'
connecting to: 127.0.0.1:1234
connect: 0, from 127.0.0.1:PORT to 127.0.0.1:1234
send: 12 bytes "hello world\n"
shutdown: 0, nothing more will be sent
recv: 12 bytes "hello world\n"
recv: 0, the peer has closed
close: 0
END

name=sniffer fd=$sniffer_fd pid=$sniffer_pid
finish 0
sed -i -E 's/^[0-9:]{8}\.[0-9]{6} /TIME /; s/, win [0-9]+//; s/, options \[[^]]*\]//; s/ack 1[34],/ack N,/; /Flags \[S/s/, (seq|ack) [0-9]+//g' "$work/sniffer"
expect sniffer <<'END'
sniffer: listening on lo, filter: tcp port 1234 and tcp[tcpflags] & (tcp-syn|tcp-push) != 0
TIME IP 127.0.0.1.PORT > 127.0.0.1.1234: Flags [S], length 0
TIME IP 127.0.0.1.1234 > 127.0.0.1.PORT: Flags [S.], length 0
TIME IP 127.0.0.1.PORT > 127.0.0.1.1234: Flags [P.], seq 1:13, ack 1, length 12
TIME IP 127.0.0.1.1234 > 127.0.0.1.PORT: Flags [P.], seq 1:13, ack N, length 12
sniffer: 4 packets captured, 0 dropped
END

# ----------------------------------------- several at once, then an interruption
start two "$BUILD/listener" 1234
await listen:
printf 'one' | "$BUILD/client" 127.0.0.1 1234 >"$work/one" 2>&1 || failed=1
await close:
printf 'two' | "$BUILD/client" -n ::1 1234 >"$work/two-client" 2>&1 || failed=1
await close:
kill -TERM "$pid"
finish 0
expect two <<'END'
listen: [::]:1234, backlog 128
accept: 127.0.0.1:PORT
recv: 3 bytes "one"
recv: 0, the peer has closed
close: 0
[2] accept: [::1]:PORT
[2] recv: 3 bytes "two"
[2] recv: 0, the peer has closed
[2] close: 0
SIGTERM: the end
END

# --------------------------------------------- a capture file, and much traffic
start file "$BUILD/sniffer" -i lo -w "$work/x.pcapng" tcp port 1234
await listening
file_fd=$fd file_pid=$pid
start sink "$BUILD/listener" --once --echo 1234
await listen:
head -c 300000 /dev/zero | "$BUILD/client" 127.0.0.1 1234 >"$work/much" 2>&1 || failed=1
finish 0
name=file fd=$file_fd pid=$file_pid
kill -INT "$pid"
finish 0
grep -q ' 0 dropped$' "$work/file" || { echo "FAIL file: drops"; failed=1; }
if command -v tshark >/dev/null; then
    if tshark -r "$work/x.pcapng" -q -z io,stat,0,'SUM(tcp.len)tcp.len' 2>/dev/null |
        grep -q ' 600000 '; then
        echo "ok file"
    else
        echo "FAIL file: not all bytes of both directions are in it"
        failed=1
    fi
fi

# ------------------------------------------------------------------- what fails
status refused 1 'connect: ECONNREFUSED (Connection refused)' "$BUILD/client" 127.0.0.1 1235 x
status unreachable 1 'connect: ENETUNREACH' "$BUILD/client" 192.0.2.1 1234 x
status no-port 2 'no port from 1 to 65535' "$BUILD/client" 127.0.0.1 http
status no-arguments 2 'usage: client' "$BUILD/client"
status bad-backlog 2 'no length of a queue' "$BUILD/listener" -b -1 1234
status bad-option 2 'unrecognized option' "$BUILD/listener" --nonsense
status no-interface 2 'there is no interface "nosuch"' "$BUILD/sniffer" -i nosuch
status bad-filter 2 'syntax error' "$BUILD/sniffer" -i lo tcp prot
status no-count 2 'no number of packets' "$BUILD/sniffer" -c 0
status no-folder 3 'cannot write' "$BUILD/sniffer" -i lo -w "$work/none/x"
status disk-full 3 'No space left' "$BUILD/sniffer" -i lo -w /dev/full
for program in listener client sniffer; do
    status "help-$program" 0 "usage: $program" "$BUILD/$program" --help
done

start taken "$BUILD/listener" 1234
await listen:
status in-use 3 'Address already in use' "$BUILD/listener" 1234
kill -INT "$pid"
finish 0

exit $failed
