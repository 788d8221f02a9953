#include "kernel/bzimage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* Offsets of the setup header, boot protocol 2.00 and later. */
enum {
    SETUP_SECTS = 0x1f1,    /* u8: 512-byte sectors behind the first one; 0 means 4 */
    SYSSIZE = 0x1f4,        /* u32: the protected-mode part, in units of 16 bytes */
    BOOT_FLAG = 0x1fe,      /* u16: 0xaa55 */
    HEADER = 0x202,         /* "HdrS" */
    PROTOCOL = 0x206,       /* u16: major, minor */
    KERNEL_VERSION = 0x20e, /* u16: the version text's offset - 0x200 */
    LOADFLAGS = 0x211,      /* u8: bit 0 is set in a bzImage */
    XLOADFLAGS = 0x236,     /* u16, from 2.12: bit 0 is set in a 64-bit kernel */
    HEADER_END = 0x238,
};

static const size_t release_max = 64; /* __NEW_UTS_LEN */

static unsigned get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static bool has(const uint8_t *head, size_t len, size_t at, const void *magic, size_t n)
{
    return len >= at + n && memcmp(head + at, magic, n) == 0;
}

static bool is_text(const uint8_t *head, size_t len)
{
    size_t n = len < 512 ? len : 512;
    for (size_t i = 0; i < n; i++)
        if (head[i] < 0x20 && (head[i] < '\t' || head[i] > '\r') && head[i] != 0x1b)
            return false;
    return true;
}

static const char build_hint[] = "of a build tree, give the tree or its arch/x86/boot/bzImage";

/* Files that people take for an image. */
static const struct {
    size_t at;
    const char *magic;
    size_t n;
    const char *what;
    const char *hint;
} known[] = {
    {0, "\177ELF", 4, "an ELF file, not a bootable image (vmlinux is only made into one)",
     build_hint},
    {0, "!<arch>\n", 8, "a package",
     "put it into the cache with `tcplab kernel add FILE`, then name its version"},
    {0x38, "ARM\x64", 4, "a kernel for 64-bit Arm; labs run in x86-64 kernels", NULL},
    {0x30, "RISCV", 5, "a kernel for RISC-V; labs run in x86-64 kernels", NULL},
    {0x24, "\x18\x28\x6f\x01", 4, "a kernel for 32-bit Arm; labs run in x86-64 kernels", NULL},
    {4, "zimg", 4, "a kernel in an EFI zboot wrapper, which x86-64 does not use", NULL},
    {0, "\x27\x05\x19\x56", 4, "an image for U-Boot; labs run in x86-64 kernels", NULL},
    {0, "\x1f\x8b", 2, "a gzip file", build_hint},
    {0,
     "\xfd"
     "7zXZ",
     5, "an xz file", build_hint},
    {0, "\x28\xb5\x2f\xfd", 4, "a zstd file", build_hint},
};

/* What a file is that lacks the header; always -1. */
static int refuse(const uint8_t *head, size_t len, const char *path, struct error *err)
{
    if (len == 0)
        return error_set(err, STATUS_USAGE, "%s is empty", path);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (has(head, len, known[i].at, known[i].magic, known[i].n)) {
            error_set(err, STATUS_USAGE, "%s is %s", path, known[i].what);
            return known[i].hint ? error_hint(err, "%s", known[i].hint) : -1;
        }
    error_set(err, STATUS_USAGE, "%s is %s, not a Linux kernel image", path,
              is_text(head, len) ? "a text file" : "something else");
    return error_hint(err, "an image begins with an x86 boot header (\"HdrS\" at byte 514), as "
                           "/boot/vmlinuz-* and arch/x86/boot/bzImage do");
}

static int check_header(const uint8_t *head, size_t len, uint64_t size, const char *path,
                        struct error *err)
{
    if (get16(head + PROTOCOL) < 0x200 || !(head[LOADFLAGS] & 1))
        return error_set(err, STATUS_USAGE, "%s is not a bzImage, but an older kind of image",
                         path);
    if (get16(head + PROTOCOL) < 0x20c || len < HEADER_END || !(get16(head + XLOADFLAGS) & 1)) {
        error_set(err, STATUS_USAGE, "%s is no 64-bit kernel (its boot header does not say so)",
                  path);
        return error_hint(err, "labs need an x86-64 kernel, 3.8 or later");
    }
    unsigned sectors = head[SETUP_SECTS] ? head[SETUP_SECTS] : 4;
    uint64_t whole = (sectors + 1) * UINT64_C(512) + get32(head + SYSSIZE) * UINT64_C(16);
    if (size < whole) {
        error_set(err, STATUS_USAGE, "%s is cut off: it has %llu bytes, and its header says %llu",
                  path, (unsigned long long)size, (unsigned long long)whole);
        return error_hint(err, "copy or download it again");
    }
    return 0;
}

static bool release_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("._+~-", c));
}

/* The first word of the version text: "6.1.0-56-amd64 (builder@host) #1 SMP …". */
static char *read_release(const uint8_t *head, size_t len, const char *path, struct error *err)
{
    size_t at = get16(head + KERNEL_VERSION) + (size_t)0x200;
    size_t n = 0;
    while (at + n < len && n <= release_max && release_char((char)head[at + n]))
        n++;
    bool ends = at + n < len && (head[at + n] == ' ' || head[at + n] == '\0');
    if (at == 0x200 || n == 0 || n > release_max || !ends || head[at] < '0' || head[at] > '9') {
        error_set(err, STATUS_USAGE,
                  "%s does not say which kernel it is: its header points to "
                  "no version text",
                  path);
        return NULL;
    }
    return xstrndup((const char *)head + at, n);
}

char *bzimage_release(const uint8_t *head, size_t len, uint64_t size, const char *path,
                      struct error *err)
{
    if (!has(head, len, BOOT_FLAG, "\x55\xaa", 2) || !has(head, len, HEADER, "HdrS", 4)) {
        refuse(head, len, path, err);
        return NULL;
    }
    if (len < HEADER_END) {
        error_set(err, STATUS_USAGE, "%s is cut off inside its boot header", path);
        return NULL;
    }
    if (check_header(head, len, size, path, err) < 0)
        return NULL;
    return read_release(head, len, path, err);
}

char *bzimage_read_release(const char *path, struct error *err)
{
    /* Not waiting for the writer of a pipe that somebody named. */
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        error_sys(err, STATUS_USAGE, errno, "cannot read %s", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(err, STATUS_USAGE, "%s is not a file", path);
        return NULL;
    }
    cleanup_free uint8_t *head = xcalloc(1, BZIMAGE_HEAD_MAX);
    size_t len = 0;
    while (len < BZIMAGE_HEAD_MAX) {
        ssize_t n = read(fd, head + len, BZIMAGE_HEAD_MAX - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_sys(err, STATUS_USAGE, errno, "cannot read %s", path);
            return NULL;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return bzimage_release(head, len, (uint64_t)st.st_size, path, err);
}
