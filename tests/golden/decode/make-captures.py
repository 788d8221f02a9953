#!/usr/bin/env python3
"""Builds the captures of this folder byte by byte, the strange ones above all.

usage: make-captures.py [DIRECTORY]

Only Python's own library.  The same bytes in every run."""

import ipaddress
import os
import struct
import sys

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))

ETHERNET, NULL, RAW, LOOP, SLL, SLL2, IPV4, IPV6 = 1, 0, 101, 108, 113, 276, 228, 229
START = 1_700_000_000
A4, B4 = "10.0.0.1", "10.0.0.2"
A6, B6 = "fd00::1", "fd00::2"
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))


# ------------------------------------------------------------------------ files

class Pcap:
    """A pcap file; frames are 10 ms apart unless a time in nanoseconds is given."""

    def __init__(self, name, linktype=ETHERNET, nano=False, order="<"):
        self.order, self.nano, self.now = order, nano, START * 10**9
        self.file = open(os.path.join(OUT, name), "wb")
        magic = 0xA1B23C4D if nano else 0xA1B2C3D4
        self.file.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, linktype))

    def add(self, data, wirelen=None, time=None):
        self.now = time if time is not None else self.now + 10_000_000
        sec, rest = divmod(self.now, 10**9)
        header = struct.pack(self.order + "IIII", sec, rest if self.nano else rest // 1000,
                             len(data), len(data) if wirelen is None else wirelen)
        self.file.write(header + data)

    def cuts(self, data):
        """The frame, captured up to each of its bytes."""
        for n in range(len(data) + 1):
            self.add(data[:n], len(data))


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def options(order, *pairs):
    out = b""
    for code, value in pairs:
        out += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return out + (struct.pack(order + "HH", 0, 0) if pairs else b"")


def pcapng(name, order, frames, extra=b""):
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
                + options(order, (4, b"make-captures")))
    out += block(order, 1, struct.pack(order + "HHI", ETHERNET, 0, 262144)
                 + options(order, (2, b"client"), (9, b"\x09"), (11, b"\x00tcp port 23")))
    out += block(order, 0x0BAD, b"a block that nobody knows")
    for i, data in enumerate(frames):
        stamp = START * 10**9 + i * 1_500_000_123
        body = struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(data),
                           len(data)) + data + bytes(-len(data) % 4)
        body += options(order, (1, b"a note"), (2, struct.pack(order + "I", 1 + i % 2)))
        out += block(order, 6, body)
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(out + extra)


# --------------------------------------------------------------------- checksums

def fold(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def addr(text):
    return ipaddress.ip_address(text).packed


def pseudo(src, dst, proto, length):
    if len(addr(src)) == 4:
        return addr(src) + addr(dst) + struct.pack(">BBH", 0, proto, length)
    return addr(src) + addr(dst) + struct.pack(">II", length, proto)


def with_sum(data, at, extra=b""):
    total = fold(extra + data)
    return data[:at] + struct.pack(">H", total) + data[at + 2:]


# ------------------------------------------------------------------------- layers

def ether(payload, kind=0x0800, tags=()):
    out = bytes.fromhex("020000000002020000000001")
    for tpid, tci in tags:
        out += struct.pack(">HH", tpid, tci)
    return out + struct.pack(">H", kind) + payload


def ip4(payload, proto=6, src=A4, dst=B4, opts=b"", flags=0x4000, tos=0, ttl=64, ident=1,
        total=None, ihl=None, version=4, bad_sum=False):
    opts += bytes(-len(opts) % 4)
    hl = 5 + len(opts) // 4 if ihl is None else ihl
    total = 20 + len(opts) + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBH", version << 4 | hl, tos, total, ident, flags, ttl, proto, 0)
    head = with_sum(head + addr(src) + addr(dst) + opts, 10)
    if bad_sum:
        head = head[:10] + b"\xde\xad" + head[12:]
    return head + payload


def ip6(payload, proto=6, src=A6, dst=B6, cls=0, flow=0, hops=64, plen=None, version=6):
    plen = len(payload) if plen is None else plen
    return struct.pack(">IHBB", version << 28 | cls << 20 | flow, plen, proto, hops) + addr(
        src) + addr(dst) + payload


def tcp(flags, seq=1000, ack=0, sport=4000, dport=1234, opts=b"", data=b"", win=64240, urg=0,
        src=A4, dst=B4, offset=None, pad=True, bad_sum=False):
    if pad:
        opts += b"\x01" * (-len(opts) % 4)
    offset = 5 + len(opts) // 4 if offset is None else offset
    out = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                      (offset & 15) << 4 | flags >> 8, flags & 255, win, 0, urg) + opts + data
    out = with_sum(out, 16, pseudo(src, dst, 6, len(out)))
    return out[:16] + b"\x12\x34" + out[18:] if bad_sum else out


def udp(data, sport=4000, dport=5000, length=None, src=A4, dst=B4, zero=False):
    length = 8 + len(data) if length is None else length
    out = struct.pack(">HHHH", sport, dport, length, 0) + data
    return out if zero else with_sum(out, 6, pseudo(src, dst, 17, len(out)))


def icmp(kind, code, rest, data=b""):
    return with_sum(struct.pack(">BBH", kind, code, 0) + rest + data, 2)


def icmp6(kind, code, rest, data=b"", src=A6, dst=B6):
    out = struct.pack(">BBH", kind, code, 0) + rest + data
    return with_sum(out, 2, pseudo(src, dst, 58, len(out)))


def t4(*args, **kw):
    return ether(ip4(tcp(*args, **kw)))


def t6(*args, **kw):
    return ether(ip6(tcp(*args, src=A6, dst=B6, **kw)), 0x86DD)


def opt(kind, data=b"", length=None):
    return bytes([kind, 2 + len(data) if length is None else length]) + data


MSS = opt(2, b"\x05\xb4")
SACK_OK = opt(4)
WSCALE = opt(3, b"\x07")
NOP, EOL = b"\x01", b"\x00"


def ts(val, ecr):
    return opt(8, struct.pack(">II", val, ecr))


def sack(*edges):
    return opt(5, b"".join(struct.pack(">I", e & 0xFFFFFFFF) for e in edges))


def mptcp(subtype, low, data):
    return opt(30, bytes([subtype << 4 | low]) + data)


LINUX_SYN = MSS + SACK_OK + ts(426379874, 0) + NOP + WSCALE


# ------------------------------------------------------------------------ captures

def all_options():
    key = bytes(range(1, 9))
    key2 = bytes(range(0xF1, 0xF9))
    yield SYN, LINUX_SYN
    yield SYN, MSS + NOP + WSCALE + SACK_OK + EOL
    yield ACK, NOP + NOP + ts(4294967295, 1)
    yield ACK, NOP + NOP + sack(2000, 3000)
    yield ACK, NOP + NOP + sack(2000, 3000, 4000, 5000, 6000, 7000)
    yield ACK, NOP + NOP + sack(1, 2, 3, 4, 5, 6, 7, 8)
    yield ACK, opt(5)
    for kind in (6, 7, 11, 12, 13):
        yield SYN, opt(kind, b"\x00\x01\xe2\x40")
    yield ACK, NOP + NOP + opt(19, bytes(range(16)))
    yield SYN, opt(20, b"\xc0\x05")
    yield ACK, opt(28, b"\x00\x64")
    yield ACK, opt(28, b"\x80\x05")
    yield ACK, opt(29, b"\x01\x02")
    yield ACK, opt(29, b"\x01\x02" + bytes(range(12)))
    yield SYN, opt(34)
    yield SYN, opt(34, key)
    yield SYN, opt(34, key + key)
    yield SYN, opt(34, b"\x01\x02\x03")
    yield SYN, opt(254, b"\xf9\x89")
    yield SYN, opt(254, b"\xf9\x89" + key)
    yield SYN, opt(254, b"\xf9\x89\x01\x02\x03")
    yield SYN, opt(254, b"\xab\xcd\xef")
    yield SYN, opt(253, b"\xf9\x89")
    yield SYN, opt(77, b"\xde\xad\xbe\xef")
    yield SYN, opt(77)
    yield SYN, opt(14, b"\x01") + opt(18, b"\x01\x02")
    yield SYN, mptcp(0, 0, b"\x81" + key)
    yield SYN, mptcp(0, 1, b"\x01")
    yield ACK, mptcp(0, 1, b"\x01" + key + key2)
    yield ACK, mptcp(0, 1, b"\x01" + key + key2 + b"\x00\x0c")
    yield SYN, mptcp(0, 7, b"\x01")
    yield SYN, mptcp(1, 1, b"\x05" + key)
    yield SYN | ACK, mptcp(1, 0, b"\x05" + key + b"\x01\x02\x03\x04")
    yield ACK, mptcp(1, 0, b"\x05" + bytes(range(20)))
    yield ACK, mptcp(2, 0, b"\x01" + key[:4])
    yield ACK, mptcp(2, 0, b"\x03" + key)
    yield ACK, mptcp(2, 0, b"\x05" + key[:4] + key[4:] + b"\x00\x00\x00\x01\x00\x10")
    yield ACK, mptcp(2, 0, b"\x1f" + key + key2 + b"\x00\x00\x00\x01\x00\x10\xbe\xef")
    yield ACK, mptcp(2, 0, b"\x10")
    yield ACK, mptcp(3, 4, b"\x02" + addr("192.0.2.1"))
    yield ACK, mptcp(3, 4, b"\x02" + addr("192.0.2.1") + b"\x10\xe1")
    yield ACK, mptcp(3, 0, b"\x02" + addr("192.0.2.1") + key)
    yield ACK, mptcp(3, 1, b"\x02" + addr("192.0.2.1") + b"\x10\xe1" + key)
    yield ACK, mptcp(3, 6, b"\x02" + addr("2001:db8::1"))
    yield ACK, mptcp(3, 6, b"\x02" + addr("2001:db8::1") + b"\x10\xe1")
    yield ACK, mptcp(3, 0, b"\x02" + addr("2001:db8::1") + key)
    yield ACK, mptcp(3, 9, b"\x02" + addr("2001:db8::1") + b"\x10\xe1" + key)
    yield ACK, mptcp(4, 0, b"\x01\x02\x03")
    yield ACK, mptcp(5, 1, b"")
    yield ACK, mptcp(5, 0, b"\x04")
    yield ACK, mptcp(6, 0, b"\x00" + key)
    yield ACK, mptcp(7, 0, b"\x00" + key)
    yield RST, mptcp(8, 0, b"\x01")


def bad_options():
    for kind in (2, 3, 4, 5, 6, 8, 11, 13, 19, 20, 28, 29, 30, 34, 77, 254):
        for length in (0, 1, 2, 3, 5, 9, 11, 21, 40, 255):
            yield SYN, MSS + bytes([kind, length]) + bytes(range(16, 26))
        yield SYN, bytes([kind, 1, 0, 0])
        yield SYN, NOP + NOP + bytes([kind, 2])
        yield SYN, NOP + NOP + NOP + bytes([kind])
    yield SYN, EOL + bytes([2, 4, 5, 6, 7, 8, 9])
    yield ACK, opt(5, bytes(7))
    yield SYN, opt(8, bytes(9)) + NOP
    yield SYN, MSS + MSS + MSS
    for subtype in range(9):
        for size in (0, 1, 5, 13, 25):
            yield SYN | ACK, mptcp(subtype, 0, bytes(range(1, 1 + size)))


def make_tcp():
    f = Pcap("tcp-options.pcap")
    for flags, o in all_options():
        f.add(t4(flags, ack=77 if flags & ACK else 0, opts=o))
        f.add(t6(flags, ack=77 if flags & ACK else 0, opts=o, dport=1235))
    f = Pcap("tcp-bad-options.pcap")
    for flags, o in bad_options():
        f.add(t4(flags, opts=o))
        f.add(t4(flags, opts=o, data=b"x"))
    f = Pcap("tcp-cut.pcap")
    f.cuts(t4(SYN, opts=LINUX_SYN))
    f.cuts(t4(PSH | ACK, opts=NOP + NOP + sack(1, 2, 3, 4), data=b"hello"))
    f.cuts(t4(ACK, opts=opt(29, b"\x01\x02\x03\x04\x05") + opt(77, b"\xaa\xbb\xcc")))
    f.cuts(t4(ACK, opts=mptcp(2, 0, b"\x05" + bytes(14)) + opt(19, bytes(16))))
    f.cuts(t4(ACK, opts=EOL + bytes(11), data=b"hello"))
    f.cuts(t6(SYN, opts=LINUX_SYN))
    f = Pcap("tcp-flags.pcap")
    for flags in range(512):
        f.add(t4(flags, ack=5 if flags & ACK else 0, urg=7, sport=1024 + flags))
    f = Pcap("tcp-lengths.pcap")
    for offset in range(16):
        f.add(t4(ACK, ack=9, offset=offset, data=b"0123456789"))
        f.add(t4(SYN, ack=9, offset=offset, sport=4001))
    f.add(t4(RST | ACK, ack=9, data=b"text in a reset"))
    f.add(t4(RST | ACK, ack=9, data=b"more text than is shown in a reset\r\n\x00\xff"))
    f.add(t4(RST | ACK, ack=9, data=b"cut text in a reset")[:60], 73)
    f.add(t4(SYN, data=b"data on a SYN", bad_sum=True))
    f.add(t4(ACK, data=b"odd", bad_sum=True))
    f.add(t4(ACK | URG, data=b"urgent", urg=3))


def conversation(f, link, src, dst, client=1000, server=2**32 - 3):
    """A handshake, data both ways, a loss with SACK, a close; both numbers may wrap."""
    def c(flags, seq, ack=None, **kw):
        f.add(link(tcp(flags, client + seq, 0 if ack is None else server + ack, src=src, dst=dst,
                       **kw), src, dst))

    def s(flags, seq, ack, **kw):
        f.add(link(tcp(flags, server + seq, client + ack, 1234, 4000, src=dst, dst=src, **kw),
                   dst, src))

    c(SYN | ECE | CWR, 0, opts=LINUX_SYN)
    s(SYN | ACK | ECE, 0, 1, opts=LINUX_SYN)
    c(ACK, 1, 1)
    c(PSH | ACK, 1, 1, data=b"hello world\n", opts=NOP + NOP + ts(426379900, 426379874))
    s(ACK, 1, 13, opts=NOP + NOP + ts(426379901, 426379900))
    s(PSH | ACK, 1, 13, data=b"yes\n")
    s(PSH | ACK, 9, 13, data=b"later\n")
    c(ACK, 13, 1, opts=NOP + NOP + sack(server + 9, server + 15))
    s(PSH | ACK, 1, 13, data=b"yes\nyes\n")
    c(FIN | ACK, 13, 15)
    s(FIN | ACK, 15, 14)
    c(ACK, 14, 16)
    c(RST, 14)


def over4(segment, src, dst):
    return ether(ip4(segment, src=src, dst=dst))


def over6(segment, src, dst):
    return ether(ip6(segment, src=src, dst=dst), 0x86DD)


def make_conversations():
    f = Pcap("tcp-conversation.pcap")
    conversation(f, over4, A4, B4)
    conversation(f, over6, A6, B6)
    conversation(f, over4, B4, A4, 5, 6)  # the same ports the other way round
    f.add(t4(ACK, 500, 600, sport=7, dport=7, opts=NOP + NOP + sack(700, 800)))  # from the middle
    f.add(t4(ACK, 501, 601, sport=7, dport=7, opts=NOP + NOP + sack(700, 800)))
    f.add(ether(ip4(tcp(ACK, 610, 505, 7, 7, opts=NOP + NOP + sack(700, 800), src=B4, dst=A4),
                    src=B4, dst=A4)))
    f.add(t4(ACK, 5, 6, sport=9, dport=8, offset=15))  # counted, though it cannot be read
    f.add(t4(ACK, 15, 16, sport=9, dport=8))
    f.file.close()
    frames = [over4(tcp(SYN, opts=LINUX_SYN), A4, B4),
              over4(tcp(SYN | ACK, 5, 1001, 1234, 4000, src=B4, dst=A4), B4, A4),
              over4(tcp(ACK, 1001, 6), A4, B4), over6(tcp(ACK, src=A6, dst=B6), A6, B6)]
    pcapng("little.pcapng", "<", frames)
    pcapng("big.pcapng", ">", frames)
    for name, nano, order in (("nano.pcap", True, "<"), ("big.pcap", False, ">"),
                              ("big-nano.pcap", True, ">")):
        f = Pcap(name, nano=nano, order=order)
        for i, data in enumerate(frames):
            f.add(data, time=START * 10**9 + i * 123_456_789)
    f = Pcap("times.pcap")
    for i, seconds in enumerate((0.5, 0.5, 1.25, 1.000001, 100000.75, 0.25, 2**31 - START)):
        f.add(frames[i % 4], time=START * 10**9 + int(seconds * 10**9))


def make_ip4():
    f = Pcap("ip4.pcap")
    seg = tcp(SYN, opts=LINUX_SYN)
    for tos in (0, 1, 2, 3, 0x10, 0xFF):
        f.add(ether(ip4(seg, tos=tos, ttl=tos)))
    for flags in (0, 0x4000, 0x2000, 0x8000, 0x6000, 0xC000, 0xE000, 1, 0x2001, 0x1FFF, 0x4003):
        f.add(ether(ip4(seg, flags=flags)))
        f.add(ether(ip4(udp(b"x" * 40), 17, flags=flags)))
        f.add(ether(ip4(icmp(8, 0, b"\0\1\0\2", b"x" * 8), 1, flags=flags)))
    for total in (0, 1, 19, 20, 21, 39, 40, 59, 60, 61, 100, 1500, 65535):
        f.add(ether(ip4(seg, total=total)))
        f.add(ether(ip4(seg, total=total) + bytes(20)))
    for ihl in range(16):
        f.add(ether(ip4(seg, ihl=ihl)))
    for version in range(16):
        f.add(ether(ip4(seg, version=version)))
    f.add(ether(ip4(seg, bad_sum=True)))
    for proto in (0, 3, 6, 41, 50, 51, 58, 59, 60, 61, 77, 99, 143, 144, 253, 255):
        f.add(ether(ip4(bytes(range(16)), proto)))
    f.add(ether(ip4(ip4(seg, src="192.0.2.1", dst="192.0.2.2"), 4)))
    f.add(ether(ip4(ip6(tcp(SYN, src=A6, dst=B6)), 41)))
    f.add(ether(ip4(ip4(ip4(ip4(seg), 4), 4), 4)))
    f.add(ether(ip4(struct.pack(">BBHII", 6, 4, 0, 256, 7) + bytes(range(12)) + seg, 51)))
    f.add(ether(ip4(struct.pack(">BBHII", 17, 1, 5, 256, 7) + udp(b"behind AH"), 51)))
    f.add(ether(ip4(struct.pack(">BBHII", 51, 1, 0, 1, 1) + struct.pack(
        ">BBHII", 6, 1, 0, 2, 2) + seg, 51)))
    f = Pcap("ip4-options.pcap")
    route = addr("192.0.2.1") + addr("192.0.2.2") + addr("192.0.2.3")
    stamps = struct.pack(">IIII", 1, 2, 3, 4)
    for o in (b"\x01\x01\x01\x00", b"\x94\x04\x00\x00", b"\x94\x04\x00\x07", b"\x94\x02\x00\x00",
              b"\x07\x0f\x04" + route, b"\x07\x0f\x08" + route, b"\x07\x0f\x10" + route,
              b"\x83\x0f\x04" + route, b"\x89\x0f\x0c" + route, b"\x83\x0e\x04" + route[:11],
              b"\x07\x0f\x03" + route, b"\x07\x0f\x40" + route, b"\x07\x02\x01\x01",
              b"\x44\x14\x05\x00" + stamps, b"\x44\x14\x09\x30" + stamps,
              b"\x44\x14\x0d\x01" + stamps, b"\x44\x14\x05\x03" + stamps,
              b"\x44\x14\x05\x02" + stamps, b"\x44\x12\x05\x01" + stamps,
              b"\x44\x14\x06\x00" + stamps, b"\x44\x03\x05\x00", b"\x44\x14\x15\xf1" + stamps,
              b"\x82\x0b" + bytes(9), b"\x52\x0c" + bytes(10), b"\x99\x04\x01\x02",
              b"\x99\x00\x01\x02", b"\x99\x01\x01\x02", b"\x99\x30\x01\x02", b"\x01\x01\x01\x99"):
        f.add(ether(ip4(seg, opts=o)))
    f.cuts(ether(ip4(seg, opts=b"\x07\x0f\x08" + route + b"\x01\x44\x14\x0d\x01" + stamps)))


def ext(next_header, body):
    body += bytes(-(len(body) + 2) % 8)
    return bytes([next_header, (len(body) + 2) // 8 - 1]) + body


def frag(next_header, offset, more=0, ident=0x12345678):
    return struct.pack(">BBHI", next_header, 0, offset | more, ident)


def routing(next_header, kind, left, rest):
    return ext(next_header, bytes([kind, left]) + rest)


def make_ip6():
    seg = tcp(SYN, opts=LINUX_SYN, src=A6, dst=B6)
    via = addr("2001:db8::1") + addr("2001:db8::2")
    seg_via = tcp(SYN, opts=LINUX_SYN, src=A6, dst="2001:db8::2")
    packets = [
        ip6(seg), ip6(seg, cls=0xB8, flow=0xABCDE, hops=1), ip6(seg, version=4), ip6(b"", 59),
        ip6(seg, src="::", dst="ff02::1"), ip6(seg, src="::ffff:10.0.0.1", dst="::10.0.0.1"),
        ip6(seg, src="1:0:0:2:0:0:0:3", dst="1:0:2:3:4:5:6:7"),
        ip6(ext(6, b"\x01\x04" + bytes(4)) + seg, 0), ip6(ext(6, b"\x05\x02\0\0\x01\0") + seg, 0),
        ip6(ext(6, b"\0\0\0\0\0\0") + seg, 0), ip6(ext(6, b"\x3e\x04abcd") + seg, 0),
        ip6(ext(6, b"\x01\x05" + bytes(4)) + seg, 0), ip6(ext(6, b"\x05\x03\0\0\0\0") + seg, 0),
        ip6(ext(6, b"\x05\x02\0\0\x05\x02\0\0\x01\x01\0") + seg, 0),
        ip6(ext(6, b"\xc2\x04\0\1\0\0") + seg, 0), ip6(ext(6, b"\xc2\x04\0\0\0\1") + seg, 0),
        ip6(ext(6, b"\xc2\x04\0\1\0\0") + seg, 0, plen=0),
        ip6(ext(6, b"\xc2\x04\0\0\0\1") + seg, 0, plen=0), ip6(ext(6, bytes(6)) + seg, 0, plen=0),
        ip6(ext(6, b"\xc2\x03\0\1\0\0") + seg, 0), ip6(ext(0, bytes(6)) + ext(6, bytes(6)) + seg, 0),
        ip6(ext(0, bytes(6)) + ext(6, bytes(6)) + seg, 60),
        ip6(ext(60, bytes(6)) + ext(6, b"\x01\x04" + bytes(4)) + seg, 0),
        ip6(ext(6, b"\x01\x02\0\0\xc9\x10" + addr("2001:db8::5")) + seg, 60),
        ip6(ext(6, b"\xc9\x0f" + addr("2001:db8::5")) + seg, 60),
        ip6(ext(6, b"\xc9\x16" + addr("2001:db8::5") + b"\0\x01\0\x07\1\0") + seg, 60),
        ip6(ext(6, b"\xc2\x04\0\1\0\0") + seg, 60), ip6(ext(6, b"\x99\x04abcd") + seg, 60),
        ip6(ext(6, b"\x99\x05abcd") + seg, 60), ip6(bytes([6, 9]) + bytes(6) + seg, 60),
        ip6(bytes([6, 200]) + bytes(6) + seg, 0),
        ip6(routing(6, 0, 2, bytes(4) + via) + seg_via, 43),
        ip6(routing(6, 0, 1, b"\0\0\0\5" + via[:16]) + seg, 43),
        ip6(routing(6, 2, 1, bytes(4) + via[:16]) + seg, 43),
        ip6(routing(6, 4, 1, b"\1\0\0\7" + via) + seg, 43),
        ip6(routing(6, 4, 1, b"\1\x80\0\0" + via) + seg, 43),
        ip6(routing(6, 4, 1, b"\1\0\0\7" + via[:8]) + seg, 43),
        ip6(routing(6, 0, 1, bytes(4) + via[:8]) + seg, 43), ip6(routing(6, 3, 1, bytes(4)) + seg, 43),
        ip6(frag(6, 0, 1) + seg, 44), ip6(frag(6, 0, 0) + seg, 44), ip6(frag(6, 1400, 1) + seg, 44),
        ip6(frag(17, 0, 1) + udp(b"x" * 32, src=A6, dst=B6), 44), ip6(frag(6, 0, 1), 44),
        ip6(frag(17, 2800) + b"x" * 32, 44), ip6(frag(58, 0, 1) + icmp6(128, 0, b"\0\1\0\2"), 44),
        ip6(ext(44, bytes(6)) + frag(6, 0, 1) + seg, 0, plen=10),
        ip6(struct.pack(">BBHII", 6, 4, 0, 256, 7) + bytes(range(12)) + seg, 51),
        ip6(ext(51, bytes(6)) + struct.pack(">BBHII", 6, 1, 0, 1, 2) + seg, 60),
        ip6(struct.pack(">BBHII", 60, 1, 0, 256, 7) + ext(6, bytes(6)) + seg, 51),
        ip6(ip4(tcp(SYN)), 4), ip6(ip6(seg), 41), ip6(bytes(16), 50), ip6(bytes(16), 1),
        ip6(bytes(16), 2), ip6(bytes(16), 77), ip6(bytes(16), 99), ip6(bytes(16), 254),
    ] + [ip6(seg, plen=n) for n in (0, 1, 19, 20, 39, 40, 41, 1000, 65535)]
    f = Pcap("ip6.pcap")
    for p in packets:
        f.add(ether(p, 0x86DD))
        f.add(ether(p + bytes(6), 0x86DD))
    f = Pcap("ip6-cut.pcap")
    f.cuts(ether(ip6(ext(60, b"\x05\x02\0\0\x01\0") + ext(43, b"\x01\x04" + bytes(4)) + routing(
        44, 0, 1, bytes(4) + via[:16]) + frag(51, 0, 1) + struct.pack(
            ">BBHII", 6, 2, 1, 256, 7) + bytes(4) + seg, 0), 0x86DD))
    f.cuts(ether(ip6(routing(17, 4, 1, b"\1\2\0\7" + via) + udp(b"data", src=A6, dst=B6), 43), 0x86DD))


def make_udp():
    f = Pcap("udp.pcap")
    for length in (None, 0, 1, 7, 8, 9, 12, 13, 14, 100, 65535):
        f.add(ether(ip4(udp(b"hello", length=length), 17)))
        f.add(ether(ip6(udp(b"hello", length=length, src=A6, dst=B6), 17), 0x86DD))
    f.add(ether(ip4(udp(b"", zero=True), 17)))
    f.add(ether(ip6(udp(b"no checksum", zero=True), 17), 0x86DD))
    f.add(ether(ip4(udp(b"x")[:7], 17)))
    f.add(ether(ip4(udp(b"x")[:3], 17)))
    f.cuts(ether(ip4(udp(b"hello"), 17)))
    f.cuts(ether(ip6(udp(b"hello", src=A6, dst=B6), 17), 0x86DD))


def make_icmp():
    f = Pcap("icmp.pcap")
    quoted_tcp = ip4(tcp(SYN, opts=LINUX_SYN), src=B4, dst=A4)
    quoted_udp = ip4(udp(b"hello", src=B4, dst=A4), 17, src=B4, dst=A4)
    for code in range(17):
        f.add(ether(ip4(icmp(3, code, b"\0\0\5\x14", quoted_tcp), 1)))
    f.add(ether(ip4(icmp(3, 4, b"\0\0\0\0", quoted_tcp), 1)))
    for quoted in (quoted_tcp[:28], quoted_udp[:28], quoted_udp, ip4(bytes(8), 99), quoted_tcp[:20],
                   ip4(icmp(3, 1, bytes(4), quoted_tcp[:28]), 1), ip6(bytes(8)), ip4(quoted_tcp, 4)):
        for kind, code in ((3, 3), (3, 1), (4, 0), (5, 0), (5, 1), (5, 2), (5, 3), (5, 9), (11, 0),
                           (11, 1), (11, 2), (12, 0), (12, 1)):
            f.add(ether(ip4(icmp(kind, code, b"\x0a\0\0\xfe", quoted), 1)))
    for kind in range(20):
        f.add(ether(ip4(icmp(kind, 0, b"\0\1\0\2", struct.pack(">III", 3723004, 86399999, 7)), 1)))
    f.add(ether(ip4(icmp(9, 0, b"\2\2\0\x3b", addr(A4) + bytes(4) + addr(B4) + b"\0\0\0\1"), 1)))
    f.add(ether(ip4(icmp(9, 0, b"\1\2\x1c\x20", addr(A4) + bytes(4)), 1)))
    f.add(ether(ip4(icmp(9, 0, b"\1\3\1\x20", addr(A4) + bytes(4)), 1)))
    bad = bytearray(icmp(8, 0, b"\0\1\0\2", b"bad checksum"))
    bad[2] ^= 0xFF
    f.add(ether(ip4(bytes(bad), 1)))
    mpls = with_sum(b"\x20\0\0\0" + b"\0\x0c\1\1" + b"\x00\x01\x01\x01\x00\x02\x03\x05" + b"\0\x08\2\3abcd", 2)
    for length in (0, 32):
        f.add(ether(ip4(icmp(11, 0, bytes([0, length, 0, 0]), quoted_tcp + bytes(
            128 - len(quoted_tcp)) + mpls), 1)))
    f.add(ether(ip4(icmp(11, 0, bytes([0, 32, 0, 0]), quoted_tcp + bytes(
        128 - len(quoted_tcp)) + b"\x30" + mpls[1:]), 1)))
    f = Pcap("icmp-cut.pcap")
    for body in (icmp(3, 3, bytes(4), quoted_tcp), icmp(8, 0, b"\0\1\0\2", b"hi"),
                 icmp(5, 1, b"\x0a\0\0\xfe", quoted_udp), icmp(14, 0, b"\0\1\0\2", bytes(12)),
                 icmp(12, 0, b"\x05\0\0\0", quoted_tcp[:28])):
        f.cuts(ether(ip4(body, 1)))


def make_icmp6():
    f = Pcap("icmp6.pcap")
    quoted = ip6(tcp(SYN, opts=LINUX_SYN, src=B6, dst=A6), src=B6, dst=A6)
    quoted_udp = ip6(ext(17, bytes(6)) + udp(b"hello", src=B6, dst=A6), 60, src=B6, dst=A6)

    def add(*args, **kw):
        f.add(ether(ip6(icmp6(*args, **kw), 58, hops=255), 0x86DD))

    for code in range(7):
        add(1, code, bytes(4), quoted)
    for q in (quoted_udp, quoted[:48], quoted[:42], ip6(bytes(8), 58), ip6(frag(6, 0) + bytes(8), 44),
              ip6(frag(6, 8) + bytes(8), 44), ip6(struct.pack(">BBHII", 6, 1, 0, 1, 1) + bytes(8), 51)):
        add(1, 4, bytes(4), q)
    add(2, 0, struct.pack(">I", 1280), quoted)
    for code in range(3):
        add(3, code, bytes(4), quoted)
    for code in range(5):
        add(4, code, struct.pack(">I", 40), quoted)
    add(128, 0, b"\0\1\0\2", b"ping")
    add(129, 0, b"\0\1\0\2", b"ping")
    add(130, 0, b"\x27\x10\0\0", addr("ff02::1"))
    add(130, 0, b"\x27\x10\0\0", bytes(16) + b"\x02\x7d\0\0")
    add(130, 0, b"\x97\x10\0\0", addr("ff02::1") + b"\x0a\x9d\0\x02" + addr(A6) + addr(B6))
    add(130, 0, b"\x97\x10\0\0", addr("ff02::1") + b"\x0a\x9d\0\x05" + addr(A6))
    add(130, 0, b"\x97\x10\0\0", bytes(8))
    add(131, 0, bytes(4), addr("ff02::fb"))
    add(132, 0, bytes(4), addr("ff02::fb"))
    mac = b"\x02\0\0\0\0\1"
    add(133, 0, bytes(4))
    add(133, 0, bytes(4), b"\1\1" + mac)
    prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xE0, 86400, 0xFFFFFFFF, 0) + addr("2001:db8::")
    add(134, 0, struct.pack(">BBH", 64, 0xC8, 1800), struct.pack(">II", 1000, 2000) + b"\1\1" + mac
        + prefix + struct.pack(">BBHI", 5, 1, 0, 1500) + struct.pack(">BBHI", 25, 3, 0, 600)
        + addr("2001:db8::53") + struct.pack(">BBHI", 7, 1, 0, 1000) + struct.pack(
            ">BBHHH", 8, 1, 0, 5, 1800) + struct.pack(">BBBBI", 24, 2, 48, 0x08, 3600) + via8())
    add(134, 0, bytes(4), bytes(8) + b"\x63\1abcdef" + b"\1\1" + mac)
    add(134, 0, bytes(4), bytes(8) + b"\1\0" + mac)
    add(134, 0, bytes(4), bytes(8) + b"\1\5" + mac)
    add(135, 0, bytes(4), addr(B6) + b"\1\1" + mac)
    add(136, 0, b"\xe0\0\0\0", addr(B6) + b"\2\1" + mac)
    add(136, 0, bytes(4), addr(B6))
    add(137, 0, bytes(4), addr(A6) + addr(B6) + b"\2\1" + mac + b"\4\2" + bytes(14))
    add(141, 0, bytes(4))
    add(142, 0, bytes(4))
    record = struct.pack(">BBH", 4, 0, 0) + addr("ff02::fb")
    add(143, 0, b"\0\0\0\1", record)
    add(143, 0, b"\0\0\0\2", record + struct.pack(">BBH", 9, 0, 1) + addr("ff02::fc") + addr(A6))
    add(143, 0, b"\0\0\0\3", record)
    add(143, 0, b"\0\0\0\1", struct.pack(">BBH", 1, 0, 9) + addr("ff02::fc"))
    add(100, 1, b"\0\1\0\2", b"unknown")
    add(0, 0, bytes(4))
    bad = bytearray(icmp6(128, 0, b"\0\1\0\2", b"bad checksum"))
    bad[2] ^= 0xFF
    f.add(ether(ip6(bytes(bad), 58), 0x86DD))
    f.add(ether(ip6(b"", 58), 0x86DD))
    f = Pcap("icmp6-cut.pcap")
    for body in (icmp6(1, 4, bytes(4), quoted), icmp6(2, 0, b"\0\0\5\0", quoted[:44]),
                 icmp6(128, 0, b"\0\1\0\2"), icmp6(135, 0, bytes(4), addr(B6) + b"\1\1" + mac),
                 icmp6(136, 0, bytes(4), addr(B6) + b"\2\1" + mac),
                 icmp6(134, 0, bytes(4), bytes(8) + prefix), icmp6(143, 0, b"\0\0\0\1", record)):
        f.cuts(ether(ip6(body, 58), 0x86DD))


def via8():
    return addr("2001:db8:5::")[:8]


def arp(op, hw=1, proto=0x0800, hl=6, pl=4, target=bytes(6)):
    return struct.pack(">HHBBH", hw, proto, hl, pl, op) + b"\2\0\0\0\0\1" + addr(A4) + target + addr(B4)


def make_links():
    mac = b"\2\0\0\0\0\2"
    f = Pcap("arp.pcap")
    for op in range(12):
        f.add(ether(arp(op), 0x0806))
        f.add(ether(arp(op, target=mac) + bytes(18), 0x0806))
    for kw in ({"hw": 6}, {"hw": 7}, {"hw": 99}, {"proto": 0x86DD}, {"proto": 0x1234}, {"proto": 0x1000},
               {"hl": 0}, {"hl": 1}, {"hl": 5}, {"hl": 8}, {"pl": 0}, {"pl": 3}, {"pl": 5}, {"pl": 16}):
        for op in (1, 2, 3, 4, 8, 9):
            f.add(ether(arp(op, **kw) + bytes(18), 0x0806))
    f.add(ether(arp(3), 0x8035))
    f.cuts(ether(arp(1), 0x0806))
    seg4, seg6 = ip4(tcp(SYN, opts=LINUX_SYN)), ip6(tcp(SYN, src=A6, dst=B6))
    f = Pcap("vlan.pcap")
    q, qinq = (0x8100, 0x6064), (0x88A8, 0x00C8)
    for tags in ((q,), (qinq, q), (q, q, q), (q,) * 6, ((0x9100, 1),), ((0x9200, 1), q)):
        f.add(ether(seg4, 0x0800, tags))
        f.add(ether(seg6, 0x86DD, tags))
        f.add(ether(arp(1), 0x0806, tags))
        f.add(ether(b"unknown", 0x1234, tags))
    f.cuts(ether(seg4, 0x0800, (qinq, q)))
    f.add(ether(b"", 0x88B5))
    f.add(ether(bytes(range(46)), 0x88B5))
    f.add(ether(bytes(range(17)), 0x0600))
    f.add(ether(seg6, 0x0800))
    f.add(ether(seg4, 0x86DD))
    f.add(ether(seg4) + bytes(6))
    f.add(ether(seg4), 60)
    f.add(ether(seg4), 10)

    def sll(proto, payload, kind=0, hl=6):
        return struct.pack(">HHH", kind, 1, hl) + mac + b"\0\0" + struct.pack(">H", proto) + payload

    def sll2(proto, payload, kind=0, hl=6, index=1):
        return struct.pack(">HHIHBB", proto, 0, index, 1, kind, hl) + mac + b"\0\0" + payload

    for name, linktype, make in (("sll.pcap", SLL, sll), ("sll2.pcap", SLL2, sll2)):
        f = Pcap(name, linktype)
        for kind in range(6):
            f.add(make(0x0800, seg4, kind))
            f.add(make(0x86DD, seg6, kind, 0))
            f.add(make(0x0806, arp(1), kind))
            f.add(make(0x88B5, b"unknown", kind))
            f.add(make(0x88B5, b"unknown", kind, 8))
        for proto in (0x0800, 0x88B5):
            f.add(make(0x8100, struct.pack(">HH", 100, proto) + seg4))
            f.add(make(0x8100, struct.pack(">HHHH", 100, 0x8100, 200, proto) + seg4))
        f.add(make(0x00F6, b"no EtherType"))
        f.cuts(make(0x8100, struct.pack(">HH", 100, 0x0800) + seg4))
    f.add(sll2(0x0800, seg4, index=2**31))
    for name, linktype, orders in (("null.pcap", NULL, "<>"), ("loop.pcap", LOOP, ">")):
        f = Pcap(name, linktype)
        for order in orders:
            for family, payload in ((2, seg4), (24, seg6), (28, seg6), (30, seg6), (2, seg6), (30, seg4),
                                    (6, b"ns"), (99, b"unknown")):
                f.add(struct.pack(order + "I", family) + payload)
            f.cuts(struct.pack(order + "I", 2) + seg4)
    for name, linktype in (("raw.pcap", RAW), ("raw4.pcap", IPV4), ("raw6.pcap", IPV6)):
        f = Pcap(name, linktype)
        for payload in (seg4, seg6, b"\x50" + seg4, b"\0"):
            f.add(payload)
            f.add(payload, len(payload) + 5)
        f.cuts(seg4)
        f.cuts(seg6)
    Pcap("unknown-link.pcap", 147).add(bytes(range(70)))


def make_broken():
    f = Pcap("frames.pcap")
    f.add(b"", 0)
    f.add(b"", 60)
    f.add(t4(SYN), 0)
    f.add(t4(SYN), 20)
    f.add(t4(SYN), 300000)
    f.add(t4(SYN))
    f.file.close()
    with open(os.path.join(OUT, "tcp-conversation.pcap"), "rb") as file:
        data = file.read()
    for name, size in (("cut-in-frame.pcap", 200), ("cut-in-header.pcap", 120), ("cut-in-file-header.pcap", 20)):
        with open(os.path.join(OUT, name), "wb") as file:
            file.write(data[:size])
    with open(os.path.join(OUT, "little.pcapng"), "rb") as file:
        data = file.read()
    with open(os.path.join(OUT, "cut.pcapng"), "wb") as file:
        file.write(data[:-30])
    with open(os.path.join(OUT, "broken.pcapng"), "wb") as file:
        file.write(data + b"\6\0\0\0\7\0\0\0aaaa")
    open(os.path.join(OUT, "empty.pcap"), "wb").close()
    with open(os.path.join(OUT, "text.pcap"), "wb") as file:
        file.write(b"This is a text, and no capture at all.\n")


if __name__ == "__main__":
    for make in (make_tcp, make_conversations, make_ip4, make_ip6, make_udp, make_icmp, make_icmp6,
                 make_links, make_broken):
        make()
