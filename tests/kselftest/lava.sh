#!/bin/sh
# For a LAVA test definition: reads KTAP and reports each lab with lava-test-case.
#
# usage: tcplab run --all --format ktap | lava.sh
set -u
while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
    'ok '*' # SKIP'*) result=skip ;;
    'ok '*) result=pass ;;
    'not ok '*) result=fail ;;
    *) continue ;;
    esac
    name=${line#not }
    name=${name#ok }
    name=${name#* }
    name=${name%% # *}
    # LAVA's names have no blanks.
    lava-test-case "$(printf %s "$name" | tr -c 'A-Za-z0-9._-' _)" --result $result
done
