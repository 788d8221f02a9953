#!/bin/bash
# The live tests in two halves side by side, all labs and everything else: they spend their
# time waiting.
#
# usage: run.sh PROGRAM      (build/test-live; with CK_RUN_SUITE or CK_RUN_CASE, just that)
#
# What the second half prints comes when the first has ended.
set -u
program=$1

[ -n "${CK_RUN_SUITE-}${CK_RUN_CASE-}" ] && exec "$program"

second=
printed=$(mktemp) || exit 1
trap '[ -z "$second" ] || kill "$second" 2>/dev/null; rm -f "$printed"' EXIT
trap 'exit 1' HUP INT TERM

CK_EXCLUDE_TAGS="${CK_EXCLUDE_TAGS-} all-labs" "$program" >"$printed" 2>&1 &
second=$!
CK_INCLUDE_TAGS=all-labs "$program"
status=$?
wait "$second" || status=1
second=
cat "$printed"
exit $status
