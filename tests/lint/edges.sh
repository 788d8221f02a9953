#!/bin/sh
# The rooms' dependencies point one way, and nobody goes through a shell or sleeps.
#
# usage: edges.sh [FOLDER]       checks the sources below FOLDER (default: the repository)
#        edges.sh --self-test    whether it finds what it has to find
#
# Prints FILE:LINE: what is wrong, and exits with 1 if anything is.
set -u

if [ "${1-}" = --self-test ]; then
    work=$(mktemp -d) || exit 1
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/netns" "$work/tools/base" "$work/tools/report" "$work/tools/run"
    echo '#include "lab/lab.h"' >"$work/netns/topo.c"
    echo '#include "netns/topo.h"' >"$work/tools/report/text.c"
    echo '#include "../base/error.h"' >"$work/tools/report/json.c"
    echo '#include "base/error.h"' >"$work/tools/report/good.c"
    echo '#include "cmd.h"' >"$work/tools/base/error.c"
    echo '    return system("ip link");' >"$work/tools/run/stage.c"
    echo '    usleep(1000);' >"$work/tools/run/wait.c"
    echo '/* never system(x) */' >"$work/tools/run/good.c"
    found=$("$0" "$work" | sed 's/:.*//; s|.*/||' | sort | tr '\n' ' ')
    wanted='error.c json.c stage.c text.c topo.c wait.c '
    [ "$found" = "$wanted" ] && exit 0
    echo "edges.sh --self-test: found \"$found\", not \"$wanted\"" >&2
    exit 1
fi

cd "${1:-$(dirname "$0")/../..}" || exit 1
find netns tools -name '*.[ch]' -exec awk '
BEGIN {
    # room: what it may include besides itself
    may["base"] = ""
    may["netns"] = may["lab"] = may["decode"] = "base"
    may["capture"] = "base decode"
    may["wire"] = "base decode lab"
    may["record"] = "base decode capture lab wire"
    may["transcript"] = "base decode lab record"
    may["picture"] = "base decode record transcript"
    may["report"] = "base lab record transcript picture"
    may["watch"] = "base lab decode capture record transcript picture report"
    may["run"] = "base netns lab decode capture wire record transcript"
    may["kernel"] = "base lab record"
    # Programs beside tcplab are no room: they take what they like, as cmd_*.c do.
}
FNR == 1 {
    room = FILENAME ~ /^netns\// ? "netns" : FILENAME
    sub(/^tools\//, "", room)
    room = room ~ /\// || room == "netns" ? room : ""
    sub(/\/.*/, "", room)
    if (room != "" && !(room in may))
        complain("there is no room \"" room "\" in the table of edges.sh")
}
function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
/^#[ \t]*include[ \t]*"/ && room != "" {
    split($0, part, "\"")
    to = part[2]
    if (!sub(/\/[^\/]*$/, "", to) || to ~ /\//)
        complain("include it as \"room/file.h\", not \"" part[2] "\"")
    else if (to != room && index(" " may[room] " ", " " to " ") == 0)
        complain(room " must not include " to "/ (it may include: " may[room] ")")
}
{
    code = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
    gsub(/\/\*.*\*\/|^ \*.*|\/\*.*/, "", code)
    if (match(code, /(^|[^A-Za-z0-9_])(system|popen|sleep|usleep|nanosleep|clock_nanosleep) *\(/))
        complain("no shell and no sleep here: " substr(code, RSTART, RLENGTH) "…)")
}
END { exit bad }' {} +
