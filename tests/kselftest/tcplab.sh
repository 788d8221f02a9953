#!/bin/sh
# tcplab as one of the kernel's own tests (tools/testing/selftests): the labs on the kernel
# that is running, as KTAP, with kselftest's exit status: 0 passed, 1 failed, 4 skipped.
#
# usage: tcplab.sh [what `tcplab run` takes]      (default: --all)
#
#   TCPLAB      the program (default: tcplab in PATH)
#   TCPLAB_OUT  where the evidence goes (default: a temporary folder, which is kept, and
#               named, if a lab failed)
set -u
: "${TCPLAB:=tcplab}"

if ! command -v "$TCPLAB" >/dev/null 2>&1; then
    echo "# SKIP there is no $TCPLAB in PATH"
    exit 4
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
out=${TCPLAB_OUT:-$work/out}
[ $# -gt 0 ] || set -- --all

# What it says goes by at once, for the runner may end us at its time-out.
{
    "$TCPLAB" run --format ktap --out "$out" "$@"
    echo $? >"$work/status"
} | tee "$work/ktap"
read -r status <"$work/status" || status=2

# 3: the machine cannot run labs, which is no fault of its kernel; unless a lab is not ok,
# as when it made the kernel go down.
case $status in
0) result=0 ;;
3) grep -q '^not ok ' "$work/ktap" && result=1 || result=4 ;;
4) result=4 ;;
*) result=1 ;;
esac

if [ $result = 1 ] && [ -d "$work/out" ]; then
    trap - EXIT
    echo "# evidence of the labs that failed: $work/out"
fi
exit $result
