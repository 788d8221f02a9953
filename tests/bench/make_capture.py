#!/usr/bin/env python3
"""make_capture.py N: a capture of N packets on standard output, the same each time.

Connections over IPv4 and IPv6 with their handshakes, data, acknowledgements (some with SACK)
and closes, some UDP.  Checksums are left 0: neither side looks at them without -v.
"""
import random
import struct
import sys

rng = random.Random(1)


def ipv4(proto, src, dst, body):
    return b"\x02" * 12 + b"\x08\x00" + struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), rng.randrange(65536), 0x4000, 64, proto, 0,
        src, dst) + body


def ipv6(proto, src, dst, body):
    prefix = b"\xfd" + b"\x00" * 11
    return b"\x02" * 12 + b"\x86\xdd" + struct.pack(
        "!IHBB16s16s", 0x60000000, len(body), proto, 64, prefix + src, prefix + dst) + body


def tcp(sport, dport, seq, ack, flags, options, data=b""):
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                       (20 + len(options)) << 2, flags, 502, 0, 0) + options + data


def stamps(val, ecr):
    return b"\x01\x01\x08\x0a" + struct.pack("!II", val, ecr)


def syn_options(val, ecr):
    return b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + struct.pack("!II", val, ecr) + b"\x01\x03\x03\x07"


def connection():
    """The frames of one connection."""
    net = rng.choice((ipv4, ipv4, ipv4, ipv6))
    a, b = bytes((10, 0, rng.randrange(256), 1)), bytes((10, 0, rng.randrange(256), 2))
    port, peer, x, y = rng.randrange(32768, 61000), 40000, rng.getrandbits(32), rng.getrandbits(32)
    t = rng.getrandbits(31)
    yield net(6, a, b, tcp(port, peer, x, 0, 0x02, syn_options(t, 0)))
    yield net(6, b, a, tcp(peer, port, y, x + 1, 0x12, syn_options(t, t)))
    yield net(6, a, b, tcp(port, peer, x + 1, y + 1, 0x10, stamps(t, t)))
    sent = 1
    for _ in range(rng.randrange(100, 1000)):
        data = b"z" * rng.choice((1, 12, 100, 1448))
        yield net(6, a, b, tcp(port, peer, x + sent, y + 1, 0x18, stamps(t, t), data))
        sent += len(data)
        sack = b""
        if rng.random() < 0.05:
            sack = b"\x01\x01\x05\x0a" + struct.pack("!II", (x + sent + 1448) & 0xffffffff,
                                                    (x + sent + 2896) & 0xffffffff)
        yield net(6, b, a, tcp(peer, port, y + 1, x + sent, 0x10, stamps(t, t) + sack))
    yield net(6, a, b, tcp(port, peer, x + sent, y + 1, 0x11, stamps(t, t)))
    yield net(6, b, a, tcp(peer, port, y + 1, x + sent + 1, 0x11, stamps(t, t)))
    yield net(6, a, b, tcp(port, peer, x + sent + 1, y + 2, 0x10, stamps(t, t)))
    if rng.random() < 0.3:
        yield ipv4(17, a, b, struct.pack("!HHHH", port, 40001, 8 + 30, 0) + b"u" * 30)


def main():
    count = int(sys.argv[1])
    out = sys.stdout.buffer
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    now = 1767225600_000000
    while count:
        for frame in connection():
            now += rng.randrange(1, 2000)
            out.write(struct.pack("<IIII", now // 1000000, now % 1000000, len(frame), len(frame)))
            out.write(frame)
            count -= 1
            if not count:
                return


main()
