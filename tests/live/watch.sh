#!/bin/bash
# tcplab watch in a terminal (tmux): keys, sizes, captures that are cut off, signals; and what
# tcplab run shows there while a lab is played.
#
# usage: TCPLAB=build/tcplab watch.sh
#
# Each step waits until the screen has what it should have.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
tcplab=${TCPLAB:-$top/build/tcplab}
case $tcplab in /*) ;; *) tcplab=$PWD/$tcplab ;; esac
export LC_ALL=C.UTF-8
unset TMUX NO_COLOR
export SHELL=$BASH # or tmux takes the user's from passwd, and nobody's there ends at once

skip()
{
    echo "SKIP watch.sh: $1"
    [ -n "${TCPLAB_MUST_RUN-}" ] && exit 1
    exit 0
}

command -v tmux >/dev/null || skip "there is no tmux"
work=$(mktemp -d) || exit 1
tm() { tmux -S "$work/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

(cd "$top" && "$tcplab" run --quiet --out "$work/out" handshake) >"$work/printed" 2>&1 ||
    skip "the lab handshake does not pass here: $(tail -n 1 "$work/printed")"

# Without any session the server would end, and the next one meet it on its way out.
tm new-session -d -s keep cat || skip "tmux cannot start"

screen() { tm capture-pane -p -t "$session"; }

fail()
{
    echo "FAIL  $what: $1; the screen:"
    screen | sed 's/^/      |/'
    exit 1
}

# await TEXT: until the screen has it
await()
{
    local i
    for ((i = 0; i < 200; i++)); do
        screen >"$work/screen"
        grep -qF -e "$1" "$work/screen" && return
        sleep 0.05
    done
    fail "no \"$1\""
}

# await_state VALUE FORMAT: until tmux says so of the pane
await_state()
{
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(tm display -p -t "$session" "$2")" = "$1" ] && return
        sleep 0.05
    done
    fail "$2 is not $1"
}

keys() { tm send-keys -t "$session" "$@"; }

# start WHAT WIDTH HEIGHT COMMAND: in a terminal of its own; says ENDED and the status
sessions=0
start()
{
    what=$1
    session=s$((sessions += 1))
    printf '%s\n' "$4" >"$work/$session.sh"
    tm new-session -d -s "$session" -x "$2" -y "$3" \
        "stty -g >'$work/before'; TERM=\${IT:-screen-256color}; cd '$top'; . '$work/$session.sh'
         echo ENDED \$?; stty -g >'$work/after'; read -r line"
    tm set -t "$session" window-size manual
}

# ended STATUS: and the terminal is as it was
ended()
{
    await "ENDED $1"
    await_state 0 '#{alternate_on}'
    await_state 1 '#{cursor_flag}'
    local i
    for ((i = 0; i < 200; i++)); do
        [ -s "$work/after" ] && break
        sleep 0.05
    done
    cmp -s "$work/before" "$work/after" || fail "the terminal's settings have changed"
    rm -f "$work/before" "$work/after"
    tm kill-session -t "$session"
}

watch="'$tcplab' watch"

# -------------------------------------------------------------- a walk through a run
start evidence 80 24 "$watch '$work/out/handshake'"
await 'PASS  handshake'
await '[S] seq 0'
await '1 of '
keys Down
await '2 of '
keys n
await 'nothing is sent again'
keys /
await 'a text, or a filter'
keys -l 'tcp[13] & 2 != 0'
keys Enter
await 'filter "tcp[13] & 2 != 0": 2 of '
keys Enter
await 'TCP, Source Port:'
await '(RFC 9293, figure 1)'
keys Down Down
await 'relative 0: where this direction begins'
keys Escape
await 'q: quit'
keys Home Space
await 'marked'
keys Down Space
await 'second  '
await 'Acknowledgment Number'
keys q
await 'filter "tcp[13]'
tm resize-window -t "$session" -x 20 -y 5
await 'filter "tcp'
[ "$(screen | wc -l)" -eq 5 ] || fail "not five lines"
keys Down Up Enter
await 'q: back'
keys q
tm resize-window -t "$session" -x 200 -y 60
await 'enter: header  space: compare  /: filter  n: next loss'
keys '?'
await "A segment's header"
keys q
await 'q: quit'
keys q
ended 0

# --------------------------------------------------------------------- plays a lab
start lab 80 24 "$watch --out '$work/played' handshake"
await '  handshake: ' # PASS, or NOISY on a machine that was late
await 'q: quit'
keys q
ended 0

# ----------------------------------------------------------------------- captures
capture=$work/out/handshake/capture.pcapng
start 'evidence by its capture' 80 24 "$watch '$capture'"
await 'PASS  handshake'
keys q
ended 0

head -c "$(($(stat -c %s "$capture") - 50))" "$capture" >"$work/cut.pcapng"
start 'a capture cut off' 80 24 "$watch '$work/cut.pcapng'"
await 'cut.pcapng: '
await '10.0.0.1'
keys End Enter q q
ended 0

start 'a capture with errors' 80 24 "$watch tests/golden/decode/tcp-bad-options.pcap"
await 'q: quit'
for key in Enter n n n n q Space End Space q G Enter j j j; do keys $key; done
await 'q: back'
keys q
await 'q: quit'
keys q
ended 0

# Bytes that are no capture's any more: shown or refused, and nothing else.
for seed in 1 2 3 4 5; do
    awk -v seed=$seed -v size="$(stat -c %s "$capture")" 'BEGIN {
        srand(seed)
        for (i = 0; i < 60; i++) printf "%d %03o\n", 40 + int(rand() * (size - 40)), int(rand() * 256)
    }' >"$work/changes"
    cp "$capture" "$work/garbage.pcapng"
    while read -r at byte; do
        printf "\\$byte" | dd of="$work/garbage.pcapng" bs=1 seek="$at" conv=notrunc 2>/dev/null
    done <"$work/changes"
    start "garbage $seed" 80 24 "$watch '$work/garbage.pcapng'; case \$? in 0 | 2) true ;; *) false ;; esac"
    for ((i = 0; i < 200; i++)); do
        screen >"$work/screen"
        grep -q -e 'q: quit' -e ENDED "$work/screen" && break
        sleep 0.05
    done
    grep -q ENDED "$work/screen" || keys Enter Tab Down q End Space Up Space q q
    ended 0
done

# -------------------------------------------------------------------- other terminals
start 'a terminal without colours or UTF-8' 60 16 "TERM=vt100 LC_ALL=C $watch '$work/out/handshake'"
await 'PASS  handshake'
await '+- [S] seq 0'
LC_ALL=C grep -q '[^ -~]' "$work/screen" && fail "more than ASCII"
keys Enter q q
ended 0

start 'a terminal that can do nothing' 100 16 "TERM=dumb $watch '$work/out/handshake'"
await 'a terminal of the type "dumb" cannot show a full screen'
ended 2

what='no terminal'
session=none
"$tcplab" watch "$work/out/handshake" >"$work/printed" 2>&1 </dev/null
[ $? -eq 2 ] && grep -q 'needs a terminal' "$work/printed" || {
    echo "FAIL  $what: $(cat "$work/printed")"
    exit 1
}

# ------------------------------------------------------------------------ signals
# The settings are taken back by whoever ends it; `sh` then says how it ended.
for signal in TERM:0 INT:0 HUP:0 SEGV:139 ABRT:134; do
    start "signal ${signal%:*}" 80 24 "sh -c 'echo \$\$ >\"$work/pid\"; exec \"$tcplab\" watch \"$work/out/handshake\"'"
    await 'q: quit'
    kill -"${signal%:*}" "$(cat "$work/pid")"
    ended "${signal#*:}"
done

# ------------------------------------------------------------------- the live ladder
run="'$tcplab' run --out '$work/live' unplugged"

# A machine that was late does not judge; what the terminal shows is the same.
judged='case $? in 0 | 4) true ;; *) false ;; esac'

# await_judged: until the run is over, and not failed
await_judged()
{
    local i
    for ((i = 0; i < 400; i++)); do
        screen >"$work/screen"
        grep -qE '^(PASS|NOISY)  unplugged' "$work/screen" && return
        sleep 0.05
    done
    fail 'no verdict'
}

# absent TEXT: the screen does not have it
absent()
{
    screen >"$work/screen"
    ! grep -qF -e "$1" "$work/screen" || fail "there is \"$1\""
}

start 'a live ladder, stopped and continued' 80 24 "set -m; $run; echo STOPPED; read -r line; fg; $judged"
await '(retry4) is due in'
keys C-z
await STOPPED
absent 'is due in'
keys -l 'typed meanwhile'
keys Enter
await_judged
absent 'is due in'
tm capture-pane -p -S - -t "$session" | grep -qF 'typed meanwhile' || fail "what the shell showed is gone"
ended 0

start 'a live ladder in a terminal that changes' 120 24 "$run; $judged"
await '(retry3) is due in'
for size in 60x10 1x1 200x50 80x24; do
    tm resize-window -t "$session" -x "${size%x*}" -y "${size#*x}"
    sleep 0.3
done
await_judged
absent 'is due in'
[ "$(tm capture-pane -p -J -t "$session" | wc -L)" -le 80 ] ||
    fail 'the report is wider than the terminal'
ended 0

start 'a live ladder, interrupted' 80 24 "$run; [ \$? = 3 ]"
await 'is due in'
keys C-c
await 'ERROR  unplugged: interrupted'
absent 'is due in'
absent 'missing'
ended 0

for term in dumb ''; do
    start "progress where TERM is \"$term\"" 80 24 "TERM=$term $run; $judged"
    tm pipe-pane -t "$session" "cat >'$work/bytes'"
    await 'unplugged: wait '
    await_judged
    tm pipe-pane -t "$session"
    ! grep -q "$(printf '\033')" "$work/bytes" || fail 'control codes'
    ended 0
done

# The terminal goes away, with SIGHUP or for somebody who does not hear it.
for hears in : "trap '' HUP"; do
    start "no terminal any more, $hears" 80 24 \
        "sh -c \"$hears; echo \\$\\$ >'$work/pid'; exec '$tcplab' watch '$work/out/handshake'\""
    await 'q: quit'
    tm kill-session -t "$session"
    for ((i = 0; i < 200; i++)); do
        kill -0 "$(cat "$work/pid")" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$(cat "$work/pid")" 2>/dev/null && {
        echo "FAIL  $what: still there after 10 s"
        exit 1
    }
done

echo "watch.sh: all as expected"
