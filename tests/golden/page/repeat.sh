#!/bin/sh
# usage: repeat.sh FILE.pcap N: a capture with the packets of that one, N times, each time a
# second later; FILE is in little-endian order
exec perl -e '
    use strict;
    my ($path, $n) = @ARGV;
    open(my $f, "<:raw", $path) or die "$path: $!\n";
    local $/;
    my $all = <$f>;
    binmode STDOUT;
    print substr($all, 0, 24);
    for my $i (0 .. $n - 1) {
        for (my $at = 24; $at < length($all);) {
            my ($s, $us, $caplen, $len) = unpack("V4", substr($all, $at, 16));
            print pack("V4", $s + $i, $us, $caplen, $len), substr($all, $at + 16, $caplen);
            $at += 16 + $caplen;
        }
    }' -- "$@"
