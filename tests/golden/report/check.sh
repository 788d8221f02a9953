#!/bin/sh
# Reads the golden reports (which the unit tests compare with real output) with other
# people's programs.  Prints what fails and nothing else; a program that is not
# installed is named on standard error, or fails the check where TCPLAB_MUST_RUN is set.
# shellcheck disable=SC2016 # what stands in single quotes is for the inner shell
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
failed=0

fail()
{
    echo "FAIL $1"
    [ ! -s "$tmp/out" ] || sed 's/^/    /' "$tmp/out"
    failed=1
}

# have WHAT COMMAND...: whether the command runs at all
have()
{
    what=$1
    shift
    "$@" >/dev/null 2>&1 && return 0
    if [ -n "${TCPLAB_MUST_RUN:-}" ]; then
        : >"$tmp/out"
        fail "$what is not installed"
    else
        echo "SKIP report: $what is not installed" >&2
    fi
    return 1
}

# expect NAME WANTED COMMAND...: the command's output is the file WANTED
expect()
{
    name=$1 wanted=$2
    shift 2
    if ! "$@" >"$tmp/got" 2>"$tmp/err" || ! diff "$wanted" "$tmp/got" >"$tmp/out"; then
        cat "$tmp/err" >>"$tmp/out"
        fail "$name"
    fi
}

python=/usr/bin/python3
[ -x "$python" ] || python=python3

if have xmllint xmllint --version; then
    for f in "$here"/*.junit.xml; do
        : >"$tmp/empty"
        expect "xmllint ${f##*/}" "$tmp/empty" xmllint --noout "$f"
    done
fi

if have python3-junitparser "$python" -c 'import junitparser'; then
    cat >"$tmp/want" <<'END'
handshake: passed
syn-retry: Failure
handshake: Failure
handshake: Failure
handshake: Failure
handshake: Skipped
fast-open: Skipped
fast-open: Error
handshake: Failure
un<kind> # \ & "lab": Failure
10 tests, 6 failures, 1 errors, 2 skipped
END
    expect "junitparser all.junit.xml" "$tmp/want" "$python" -c '
import sys, junitparser
for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        print(f"{case.name}: {type(case.result[0]).__name__ if case.result else str('"'passed'"')}")
    print(f"{suite.tests} tests, {suite.failures} failures, {suite.errors} errors, {suite.skipped} skipped")
' "$here/all.junit.xml"
fi

if have prove prove --version; then
    cat >"$tmp/want" <<'END'
  Failed tests:  2-5, 8-10
Files=1, Tests=10
END
    expect "prove all.tap" "$tmp/want" sh -c \
        'prove -e cat "$1" | sed -n -e "s/,  *[0-9]* wallclock.*//" -e "/Failed tests:/p" -e "/^Files=/p"; :' \
        - "$here/all.tap"
    echo "Files=1, Tests=0" >"$tmp/want"
    expect "prove none.tap" "$tmp/want" sh -c \
        'prove -e cat "$1" | sed -n -e "s/,  *[0-9]* wallclock.*//" -e "/^Files=/p"; :' - "$here/none.tap"
fi

if have python3-jsonschema "$python" -c 'import jsonschema'; then
    echo "13 results, 13 events" >"$tmp/want"
    expect "jsonschema" "$tmp/want" "$python" -c '
import json, sys, jsonschema
top, here = sys.argv[1:]
schema = json.load(open(top + "/docs/result.schema.json"))
check = jsonschema.Draft202012Validator
check.check_schema(schema)
results = json.load(open(here + "/all.json")) + json.load(open(here + "/none.json"))
results += [json.load(open(here + name)) for name in ("/one.json", "/full.json")]
results.append(dict(results[0], record=None))
for result in results:
    check(schema).validate(result)
events = [json.loads(line) for line in open(here + "/full.events.jsonl")]
for event in events:
    check(dict(schema, **{"$ref": "#/$defs/event", "required": [], "properties": {},
                          "additionalProperties": True})).validate(event)
wrong = dict(results[0], schema_version=2)
if check(schema).is_valid(wrong) or check(schema).is_valid(dict(results[0], more=1)):
    sys.exit("the schema allows anything")
print(len(results), "results,", len(events), "events")
' "$top" "$here"
fi

if have tshark tshark --version; then
    expect "tshark full.pcapng" "$here/full.pcapng.tshark" sh -c \
        'tshark -r "$1" -T fields -e frame.interface_name -e frame.time_epoch -e frame.packet_flags_direction \
            -e frame.len -e frame.cap_len -e frame.comment 2>/dev/null' - "$here/full.pcapng"
fi
if have capinfos capinfos --version; then
    expect "capinfos full.pcapng" "$here/full.pcapng.capinfos" sh -c \
        'capinfos "$1" | sed -n "/^Number of packets/p;/^Capture [hoa]/p;/^Interface/,\$p"' - "$here/full.pcapng"
fi

exit $failed
