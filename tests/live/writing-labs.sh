#!/bin/sh
# docs/writing-labs.md, done as it says: its commands are run, one block after another, in a
# tree that has the labs, and what a block of `output` shows must be in what was printed.
#
#   sh           must succeed        sh fails     must end with status 1
#   sh kernels   must succeed where there is a kernel, else it is left out
#   lab          becomes the script of the lab         lab-line   is added to it, until the
#   transcript   takes the place of the transcript's last lines   next block of sh is over
#   output       each line is in what the block of sh before it printed
#
# usage: TCPLAB=build/tcplab writing-labs.sh
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
doc=$top/docs/writing-labs.md
lab=late-answer
tcplab=${TCPLAB:-$top/build/tcplab}
case $tcplab in /*) ;; *) tcplab=$PWD/$tcplab ;; esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tree" "$work/blocks"
ln -s "$tcplab" "$work/bin/tcplab"
cp -r "$top/labs" "$top/expected" "$work/tree"
PATH=$work/bin:$PATH
export PATH LC_ALL=C.UTF-8
unset TCPLAB_ROOT
cd "$work/tree" || exit 1

tcplab doctor >"$work/printed" 2>&1 || {
    echo "SKIP writing-labs.sh: \`tcplab doctor\` says that labs cannot run here"
    [ -n "${TCPLAB_MUST_RUN-}" ] && exit 1
    exit 0
}

# 001, 002 …: the info words on the first line, then the block.
awk -v dir="$work/blocks" '
    /^```/ && !inside { inside = 1; file = sprintf("%s/%03d", dir, ++n); print substr($0, 4) >file; next }
    /^```/ { inside = 0; close(file); next }
    inside { print >file }
' "$doc"

fail()
{
    echo "FAIL  docs/writing-labs.md, block $number ($info): $1"
    [ -s "$work/printed" ] && sed 's/^/      /' "$work/printed"
    exit 1
}

# run STATUS: the block as a script
run()
{
    sh -e "$work/body" >"$work/printed" 2>&1 </dev/null
    status=$?
    [ "$status" = "$1" ] || fail "it ended with status $status, not $1"
    [ ! -f "$work/saved" ] || mv "$work/saved" "labs/$lab.md"
    commands=$((commands + 1))
}

# put FILE: the lab's script becomes, or with `-a` gets as well, what stands in FILE
put()
{
    awk -v body="$1" -v add="${2-}" '
        function copy(  line) { while ((getline line <body) > 0) print line }
        /^```lab$/ { print; script = 1; if (!add) copy(); next }
        /^```$/ && script { script = 0; if (add) copy() }
        !script || add
    ' "labs/$lab.md" >"$work/lesson" && cp "$work/lesson" "labs/$lab.md"
}

commands=0
for block in "$work"/blocks/*; do
    number=$(basename "$block")
    info=$(sed -n 1p "$block")
    sed 1d "$block" >"$work/body"
    case $info in
    sh) run 0 ;;
    'sh fails') run 1 ;;
    'sh kernels')
        if [ -n "$(tcplab kernel list 2>/dev/null | grep verified)" ]; then run 0; fi
        ;;
    lab) put "$work/body" ;;
    lab-line)
        cp "labs/$lab.md" "$work/saved"
        # Declarations may stand anywhere in the script.
        put "$work/body" add
        ;;
    transcript)
        # What stood in the place of its first line: the first line that sends data.
        keep=$(grep -n 'length 11' "expected/$lab.txt" | sed -n '1s/:.*//p')
        [ -n "$keep" ] || fail "the transcript has no such lines"
        head -n $((keep - 2)) "expected/$lab.txt" >"$work/new"
        cat "$work/body" >>"$work/new"
        cp "$work/new" "expected/$lab.txt"
        ;;
    output)
        while IFS= read -r line; do
            grep -qF -- "$line" "$work/printed" || fail "nothing printed has \"$line\""
        done <"$work/body"
        ;;
    *) fail "a block of an unknown kind" ;;
    esac
done
[ "$commands" -ge 7 ] || { echo "FAIL  only $commands blocks of commands in $doc"; exit 1; }
# What the document says beside its commands.
number=last info='tcplab new'
check()
{
    wanted=$1
    shift
    "$@" >"$work/printed" 2>&1
    status=$?
    [ "$status" = "$wanted" ] || fail "\`$*\` ended with status $status, not $wanted"
}
cp "labs/$lab.md" "$work/before"
check 2 tcplab new "$lab"
check 2 tcplab new --from handshake "$lab"
check 2 tcplab new --root . "$lab"
cmp -s "$work/before" "labs/$lab.md" || fail "it has written over a lab"
check 0 tcplab new --from half-open copy
check 0 tcplab run copy
mkdir elsewhere && cd elsewhere || exit 1
check 0 tcplab new --root . first
check 0 tcplab run first
check 0 tcplab run --ip 6 first
check 0 tcplab new --root deep/down second
check 0 tcplab run deep/down/labs/second.md
echo "docs/writing-labs.md: $commands blocks of commands, all as it says"
