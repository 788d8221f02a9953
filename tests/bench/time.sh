# shellcheck shell=bash
# Timing for the benches; to be sourced.

skip()
{
    echo "SKIP: $1"
    [ -n "${TCPLAB_MUST_RUN-}" ] && exit 1
    exit 0
}

# elapsed COMMAND…: $microseconds that it took; the bench ends if it fails
elapsed()
{
    local began=${EPOCHREALTIME/[.,]/} log
    if ! log=$("$@" 2>&1); then
        echo "FAIL: $1 ended with an error:"
        echo "$log"
        exit 1
    fi
    microseconds=$((${EPOCHREALTIME/[.,]/} - began))
}

# median of the numbers on standard input, one a line
median()
{
    sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# compare PAIRS A B NAME-A NAME-B LIMIT: runs A B A B …, after one pair to warm up; prints the
# medians; status 1 if the median of A/B is above LIMIT
compare()
{
    local i times=
    elapsed "$2"
    elapsed "$3"
    for ((i = 0; i < $1; i++)); do
        elapsed "$2"
        times+="$microseconds "
        elapsed "$3"
        times+="$microseconds"$'\n'
    done
    local a b ratio least
    a=$(printf %s "$times" | awk '{ print $1 / 1000 }' | median)
    b=$(printf %s "$times" | awk '{ print $2 / 1000 }' | median)
    ratio=$(printf %s "$times" | awk '{ print $1 / $2 }' | median)
    # What else runs on the machine can only add to a time: for the reader, the least of each.
    least=$(printf %s "$times" | awk 'NR == 1 { a = $1; b = $2 }
        { if ($1 < a) a = $1; if ($2 < b) b = $2 }
        END { printf "%.1f and %.1f ms, %.3f", a / 1000, b / 1000, a / b }')
    verdict "$ratio" "$6" "$(printf '%s %.1f ms, %s %.1f ms (medians of %d pairs; least %s)' \
        "$4" "$a" "$5" "$b" "$1" "$least")"
}

# verdict RATIO LIMIT WORDS
verdict()
{
    if awk -v r="$1" -v l="$2" 'BEGIN { exit !(r <= l) }'; then
        printf 'ok    %.3f, at most %s: %s\n' "$1" "$2" "$3"
    else
        printf 'FAIL  %.3f, at most %s: %s\n' "$1" "$2" "$3"
        return 1
    fi
}
