#!/bin/bash
# What tcplab is compared with: the handshake lab by hand, with ip netns, a bridge, tcpdump at
# both ends, and nc.  It waits as briefly as a shell can: for lines, never by sleeping.
#
# usage: handshake.sh FOLDER     (two captures and their text go there; as root, in namespaces
# of network and mounts that bench_handshake.sh made)
set -eu
out=$1
mkdir -p "$out"

ip netns add client
ip netns add server
ip link add lan type bridge forward_delay 0
ip link set lan up
for host in client server; do
    ip link add "$host-$$" master lan type veth peer name eth0 netns "$host"
    ip link set "$host-$$" up
    ip -n "$host" link set lo up
    ip -n "$host" link set eth0 up
done
ip -n client address add 10.0.0.1/24 dev eth0
ip -n server address add 10.0.0.2/24 dev eth0

# Ready is: both cables up at both ends, both tcpdumps and the listener there.
for host in client server; do
    until read -r state <"/sys/class/net/$host-$$/operstate" && [ "$state" = up ]; do :; done
    mkfifo "$out/$host.ready"
    ip netns exec "$host" tcpdump --immediate-mode -n -c 6 -w "$out/$host.pcap" --print -l -i eth0 \
        tcp port 1234 >"$out/$host.txt" 2>"$out/$host.ready" &
done
for host in client server; do
    exec {ready}<"$out/$host.ready"
    until read -r line <&"$ready" && [[ $line == *listening* ]]; do :; done
done
mkfifo "$out/nc.ready"
ip netns exec server nc -n -l -v 1234 2>"$out/nc.ready" &
exec {ready}<"$out/nc.ready"
read -r line <&"$ready"

ip netns exec client nc -n -N 10.0.0.2 1234 </dev/null
wait

for host in client server; do
    flags=$(sed -E 's/.*Flags \[([^]]*)\].*/\1/' "$out/$host.txt" | tr '\n' ' ')
    case $flags in
    'S S. . F. F. . ') ;;
    'S S. . F. . F. ') ;; # nc was late to close: the acknowledgement went ahead of its FIN
    *) echo "$host saw: $flags" >&2; exit 1 ;;
    esac
done
ip netns del client
ip netns del server
ip link del lan
