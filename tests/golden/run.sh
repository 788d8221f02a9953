#!/bin/sh
# Golden tests: what a command prints, compared with a stored file.
#
# usage: run.sh [--update] [GROUP…]       (default: every folder with a TESTLIST)
#
# A line of GROUP/TESTLIST:   NAME  STATUS  EXPECTED-FILE  COMMAND…
# COMMAND is a line of shell, run inside the group's folder, where `tcplab` is the
# one in $TCPLAB.  --update writes the expected files anew: where a group has a
# judge.sh, from the program that it names in tcplab's place, else from tcplab.
set -u
here=$(cd "$(dirname "$0")" && pwd)
update=
[ "${1-}" = --update ] && update=yes && shift
TCPLAB=${TCPLAB:-$here/../../build/tcplab}
case $TCPLAB in /*) ;; *) TCPLAB=$PWD/$TCPLAB ;; esac
export TCPLAB TZ=UTC LC_ALL=C
unset COLUMNS

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# run_command COMMAND: with or without the judge in tcplab's place
run_command()
{
    (
        tcplab() { "$TCPLAB" "$@"; }
        [ -n "$update" ] && [ -f judge.sh ] && . ./judge.sh
        eval "$1"
    )
}

run_line()
{
    name=$1 status=$2 expected=$3
    shift 3
    run_command "$*" >"$work/out" </dev/null
    got=$?
    if [ -n "$update" ]; then
        mkdir -p "$(dirname "$expected")"
        cp "$work/out" "$expected"
        return
    fi
    total=$((total + 1))
    if [ "$got" != "$status" ]; then
        echo "FAIL $group/$name: exit status $got, expected $status"
    elif ! diff -u "$expected" "$work/out" >"$work/diff"; then
        echo "FAIL $group/$name: $*"
        head -n 40 "$work/diff"
    else
        return
    fi
    failed=$((failed + 1))
}

total=0 failed=0
if [ $# -eq 0 ]; then
    for list in "$here"/*/TESTLIST; do
        set -- "$@" "$(basename "$(dirname "$list")")"
    done
fi
for group; do
    cd "$here/$group" || exit 1
    while read -r name status expected command; do
        case $name in '' | '#'*) continue ;; esac
        run_line "$name" "$status" "$expected" "$command"
    done <TESTLIST
done
[ -n "$update" ] && exit 0
echo "golden: $((total - failed)) of $total as expected"
[ "$failed" -eq 0 ] && [ "$total" -gt 0 ]
