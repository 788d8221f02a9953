#!/bin/sh
# Tests of what docs/kernel-ci.md offers: KTAP as other readers see it, and the scripts for
# kselftest, git bisect and LAVA.
#
# usage: check.sh       ($TCPLAB is the program, default: build/tcplab)
#
# Where LINUX names a tree of the kernel's source, its own tools take part: kunit.py reads the
# KTAP, and its kselftest runs the folder.
#
# What is not installed is skipped, with the reason; with TCPLAB_MUST_RUN=1 it fails.
# shellcheck disable=SC2016 # what stands in single quotes is for the inner shell
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
TCPLAB=${TCPLAB:-$top/build/tcplab}
case $TCPLAB in /*) ;; *) TCPLAB=$PWD/$TCPLAB ;; esac
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0 passed=0
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# have WHAT COMMAND…: whether the command runs at all
have()
{
    what=$1
    shift
    "$@" >/dev/null 2>&1 && return 0
    if [ -n "${TCPLAB_MUST_RUN:-}" ]; then
        echo "FAIL $what is not installed"
        failed=$((failed + 1))
    else
        echo "SKIP kselftest: $what is not installed" >&2
    fi
    return 1
}

# is NAME WANTED GOT
is()
{
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        printf 'FAIL %s: expected "%s", got "%s"\n' "$1" "$2" "$3"
        failed=$((failed + 1))
    fi
}

# fake NAME SCRIPT: a program in $work/bin
mkdir "$work/bin"
fake()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# ------------------------------------------------------------------------- KTAP
# refused NAME SED-EXPRESSION: a KTAP that was broken so is not read
refused()
{
    sed "$2" "$top/tests/golden/report/all.ktap" >"$work/broken.ktap"
    is "changed: $1" 0 "$(cmp -s "$work/broken.ktap" "$top/tests/golden/report/all.ktap"; echo $((! $?)))"
    "$python" "$here/ktap.py" "$work/broken.ktap" >/dev/null 2>&1
    is "refused: $1" 1 $?
}

check_ktap()
{
    for name in all one none; do
        "$python" "$here/ktap.py" "$top/tests/golden/report/$name.ktap" >"$work/$name" 2>&1
        is "ktap.py $name.ktap" 0 $?
    done
    is 'tests of all.ktap' '7 fail, 1 pass, 2 skip' "$(tail -n 1 "$work/all")"
    is 'tests of none.ktap' 'no tests' "$(tail -n 1 "$work/none")"
    refused 'no version' 1d
    refused 'a larger plan' '2s/10/11/'
    refused 'a smaller plan' '2s/10/9/'
    refused 'a number twice' 's/^ok 6/ok 5/'
    refused 'a subtest missing' '5d'
    refused 'a result missing' '/^not ok 3/d'
    refused 'ok above a subtest that is not' 's/^not ok 2/ok 2/'
    refused 'an unknown line' '5s/^/x/'
    refused 'half a line' '5s/ok 1/ok/'
}

# The outer tests, as the TAP reader of Debian sees them.
check_tappy()
{
    "$python" - "$top/tests/golden/report/all.ktap" >"$work/tappy" <<'END'
import sys
from tap.parser import Parser

for line in Parser().parse_file(sys.argv[1]):
    if line.category == "test":
        print("skip" if line.skip else "pass" if line.ok else "fail", line.description)
    elif line.category == "bail":
        print("bail")
END
    grep -v '^ ' "$work/all" | sed '$d' >"$work/outer"
    is 'python3-tap reads the same tests' "$(cat "$work/outer")" "$(cat "$work/tappy")"
}

# ---------------------------------------------------------------- kselftest, bisect
# kselftest STATUS-OF-TCPLAB KTAP: the wrapper's exit status
kselftest()
{
    fake tcplab "echo '$2'; exit $1"
    TCPLAB=$work/bin/tcplab TCPLAB_OUT=$work/out "$here/tcplab.sh" >"$work/said"
    echo $?
}

check_kselftest()
{
    is 'kselftest: passed' 0 "$(kselftest 0 'ok 1 x')"
    is 'kselftest: its output goes by' 'ok 1 x' "$(cat "$work/said")"
    is 'kselftest: failed' 1 "$(kselftest 1 'not ok 1 x')"
    is 'kselftest: wrong usage' 1 "$(kselftest 2 '')"
    is 'kselftest: machine cannot' 4 "$(kselftest 3 '')"
    is 'kselftest: a lab went wrong' 1 "$(kselftest 3 'not ok 1 x')"
    is 'kselftest: all skipped' 4 "$(kselftest 4 'ok 1 x # SKIP')"
    is 'kselftest: killed' 1 "$(kselftest '$(kill -9 $$)' 'ok 1 x' 2>/dev/null)"
    fake tcplab 'echo "$@"'
    TCPLAB=$work/bin/tcplab TCPLAB_OUT=o "$here/tcplab.sh" >"$work/said"
    is 'kselftest: all labs' 'run --format ktap --out o --all' "$(cat "$work/said")"
    TCPLAB=$work/bin/tcplab TCPLAB_OUT=o "$here/tcplab.sh" --all --long >"$work/said"
    is 'kselftest: arguments' 'run --format ktap --out o --all --long' "$(cat "$work/said")"
    TCPLAB=$work/bin/nothing "$here/tcplab.sh" >"$work/said"
    is 'kselftest: no tcplab' 4 $?
    is 'settings: more than 45 s' 1 \
        "$(sed -n 's/^timeout=\([0-9]*\)$/\1/p' "$here/settings" | awk '$1 > 45 { n++ } END { print n + 0 }')"
}

# The real program through the wrapper: whatever this machine can, it is a status that
# kselftest knows, and KTAP.
check_kselftest_real()
{
    (cd "$top" && TCPLAB=$TCPLAB TCPLAB_OUT=$work/real "$here/tcplab.sh" handshake) >"$work/said" 2>/dev/null
    status=$?
    case $status in
    0 | 4) ;;
    *) cat "$work/said" ;;
    esac
    is 'kselftest: handshake' 1 "$([ $status = 0 ] || [ $status = 4 ] && echo 1)"
    if [ -s "$work/said" ]; then
        "$python" "$here/ktap.py" "$work/said" >"$work/read" 2>&1
        is "kselftest: KTAP of a run" 0 $?
    fi
}

# bisect STATUS KTAP [ARGUMENT]: its exit status
bisect()
{
    fake tcplab "echo '$2'; exit $1"
    shift 2
    (cd "$work" && TCPLAB=tcplab PATH=$work/bin:$PATH "$here/bisect.sh" "$@") >/dev/null 2>&1
    echo $?
}

check_bisect()
{
    fake make 'exit 0'
    is 'bisect: good' 0 "$(bisect 0 'ok 1 x')"
    is 'bisect: bad' 1 "$(bisect 1 'not ok 1 x')"
    is 'bisect: panic' 125 "$(bisect 3 'not ok 1 x')"
    is 'bisect: panic is bad' 1 "$(bisect 3 'not ok 1 x' --panic-is-bad)"
    is 'bisect: no qemu' 128 "$(bisect 3 '' --panic-is-bad)"
    is 'bisect: noisy' 125 "$(bisect 4 'ok 1 x # SKIP NOISY')"
    is 'bisect: wrong usage' 128 "$(bisect 2 '')"
    fake make 'exit 2'
    is 'bisect: does not build' 125 "$(bisect 0 'ok 1 x')"
}

# Eight commits: the third does not build, from the sixth on TCP is broken.
check_git_bisect()
{
    fake make 'test "$(cat version)" != 3'
    fake tcplab 'test "$(cat version)" -lt 6 && echo "ok 1 x" && exit 0; echo "not ok 1 x"; exit 1'
    repo=$work/repo
    mkdir "$repo"
    (
        cd "$repo" && export GIT_CONFIG_GLOBAL=/dev/null HOME="$work" TCPLAB=tcplab PATH="$work/bin:$PATH" &&
            git init -q && git config user.name x && git config user.email x@example.org &&
            for v in 1 2 3 4 5 6 7 8; do
                echo $v >version && git add version && git commit -q -m "version $v" || exit 1
            done &&
            git bisect start HEAD HEAD~7 && git bisect run "$here/bisect.sh" handshake &&
            git show --no-patch --format='found %s' refs/bisect/bad
    ) >"$work/bisected" 2>&1
    is 'git bisect run' 'found version 6' "$(grep -o 'found version.*' "$work/bisected")"
}

# ------------------------------------------------------------- the kernel's own tools
check_kunit()
{
    (cd "$LINUX" && "$python" tools/testing/kunit/kunit.py parse) \
        <"$top/tests/golden/report/all.ktap" >"$work/kunit" 2>&1
    is 'kunit.py: all.ktap' 'Ran 39 tests: passed: 28, failed: 9, skipped: 2' \
        "$(sed -n 's/.*Testing complete. //p' "$work/kunit")"
}

check_kselftest_runner()
{
    mkdir "$work/selftests"
    ln -s "$LINUX/tools/testing/selftests/kselftest" "$work/selftests"
    cp -r "$here" "$work/selftests/tcplab"
    fake tcplab 'echo "ok 1 $*"; exit 4'
    (
        BASE_DIR=$work/selftests
        cd "$BASE_DIR/tcplab" && . "$BASE_DIR/kselftest/runner.sh" && set +u &&
            TCPLAB=$work/bin/tcplab TCPLAB_OUT=o KSELFTEST_TCPLAB_SH_ARGS=handshake run_many tcplab.sh
    ) >"$work/said" 2>&1
    is 'kselftest: its own runner' 'ok 1 selftests: tcplab: tcplab.sh # SKIP' \
        "$(grep '^ok' "$work/said")"
}

# ------------------------------------------------------------------------- LAVA
check_lava_script()
{
    fake lava-test-case 'echo "$*" >>"$LAVA_LOG"'
    LAVA_LOG=$work/lava PATH=$work/bin:$PATH "$here/lava.sh" \
        <"$top/tests/golden/report/all.ktap" >"$work/said"
    is 'lava: the output goes by' '' "$(diff "$top/tests/golden/report/all.ktap" "$work/said")"
    is 'lava: the cases' "handshake --result pass
syn-retry --result fail
handshake --result fail
handshake --result fail
handshake --result fail
handshake --result skip
fast-open --result skip
fast-open --result fail
handshake --result fail
un_kind_________lab_ --result fail" "$(cat "$work/lava")"
}

check_lava_job()
{
    is 'lava-job.yaml' '2 refused
valid' "$("$python" - "$here/lava-job.yaml" 2>&1 <<'END'
import copy, sys, yaml
from lava_common import schemas
from voluptuous import Invalid

job = yaml.safe_load(open(sys.argv[1]))
def check(job):
    schemas.validate(job, strict=True)
    schemas.extra_checks(job)
def refused(change):
    wrong = copy.deepcopy(job)
    change(wrong)
    try:
        check(wrong)
    except Invalid:
        return True
    return False
print(refused(lambda j: j.pop("timeouts")) +
      refused(lambda j: j["actions"][2]["test"]["timeout"].update(minutes=60)), "refused")
check(job)
print("valid")
END
)"
}

if have python3 "$python" -c 'import re'; then
    check_ktap
    [ ! -x "$TCPLAB" ] || check_kselftest_real
    have python3-tap "$python" -c 'import tap.parser' && check_tappy
    have lava-common "$python" -c 'import lava_common.schemas, yaml' && check_lava_job
fi
check_kselftest
[ -z "${LINUX:-}" ] || { check_kunit && check_kselftest_runner; }
check_bisect
have git git --version && check_git_bisect
check_lava_script

echo "kernel CI: $passed of $((passed + failed)) as expected"
[ "$failed" -eq 0 ]
