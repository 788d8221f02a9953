#!/bin/sh
# Brings what the build needs and writes the compiler's flags to the file named.
#
# As root on a system with apt it installs what is missing; anywhere else it says
# exactly what to install and exits with 3.
set -u
out=$1

libs='libpcap libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libcmark jansson liblzma libzstd zlib libmd ncursesw'
debian='gcc libc6-dev pkg-config libpcap-dev libnl-3-dev libnl-route-3-dev libnl-genl-3-dev libcmark-dev libjansson-dev liblzma-dev libzstd-dev zlib1g-dev libmd-dev libncurses-dev check'
fedora='gcc pkgconf-pkg-config libpcap-devel libnl3-devel cmark-devel jansson-devel xz-devel libzstd-devel zlib-devel libmd-devel ncurses-devel check-devel'
arch='gcc pkgconf libpcap libnl cmark jansson xz zstd zlib libmd ncurses check'

have_all()
{
    command -v "${CC:-cc}" >/dev/null 2>&1 && command -v pkg-config >/dev/null 2>&1 &&
        pkg-config --exists $libs check 2>/dev/null
}

if ! have_all; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "  APT   $debian"
        log=$(mktemp)
        if ! { apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $debian; } \
            >"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            echo "tcplab: apt could not install what the build needs (its last lines are above)" >&2
            exit 3
        fi
        rm -f "$log"
    else
        {
            echo "tcplab: this machine lacks what the build needs.  Install it, then run make again:"
            if command -v apt-get >/dev/null 2>&1; then
                echo "  sudo apt-get install $debian"
            elif command -v dnf >/dev/null 2>&1; then
                echo "  sudo dnf install $fedora"
            elif command -v pacman >/dev/null 2>&1; then
                echo "  sudo pacman -S $arch"
            else
                echo "  a C compiler, pkg-config and the development files of:"
                echo "  libpcap, libnl 3 (route, genl), libcmark, jansson, liblzma, libzstd, zlib, libmd, ncursesw, check"
            fi
        } >&2
        exit 3
    fi
    if ! have_all; then
        echo "tcplab: still missing after the installation: $(pkg-config --print-errors --exists $libs check 2>&1 | head -n 1)" >&2
        exit 3
    fi
fi

{
    echo "PKG_CFLAGS := $(pkg-config --cflags $libs check)"
    echo "PKG_LIBS := $(pkg-config --libs $libs)"
    echo "PKG_CHECK_LIBS := $(pkg-config --libs check)"
} >"$out.new" && mv "$out.new" "$out"
