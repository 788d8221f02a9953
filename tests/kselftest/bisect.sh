#!/bin/sh
# For `git bisect run`: builds the kernel tree of the current folder, plays labs in it on a
# virtual clock, and ends with what git bisect reads.
#
# usage: git bisect run /…/bisect.sh [--panic-is-bad] [what `tcplab run` takes]
#                                                              (default: --all)
#
#   0    good: every lab passed
#   1    bad: a lab failed
#   125  cannot be judged, git tries a neighbour: it does not build, nothing was judged, or
#        the kernel went down or hung in a lab (1 with --panic-is-bad)
#   128  stops the bisection: it is tcplab or this machine that is at fault
#
#   TCPLAB      the program (default: tcplab in PATH)
#   MAKE_FLAGS  for building (default: -j and the number of processors)
set -u
: "${TCPLAB:=tcplab}"
panic=125
if [ "${1-}" = --panic-is-bad ]; then
    panic=1
    shift
fi
[ $# -gt 0 ] || set -- --all

# shellcheck disable=SC2086 # a list of words
make -s ${MAKE_FLAGS:--j$(nproc)} olddefconfig bzImage modules </dev/null || exit 125

work=$(mktemp -d) || exit 128
trap 'rm -rf "$work"' EXIT
trap 'exit 128' HUP INT TERM
"$TCPLAB" run --format ktap --kernel . --out "$work/out" "$@" >"$work/ktap"
status=$?
grep '^ *not ok ' "$work/ktap"
case $status in
0) exit 0 ;;
1) exit 1 ;;
3) grep -q '^not ok ' "$work/ktap" && exit $panic || exit 128 ;;
4) exit 125 ;;
*) exit 128 ;;
esac
