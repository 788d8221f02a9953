/* Theory of operation.  A bzImage unpacks itself when it is booted.  Under emulation that
 * takes longer than all the rest of the boot, and here it takes a second: so the kernel
 * is taken out as the boot protocol says (Documentation/arch/x86/boot.rst: payload_offset
 * and payload_length, protocol 2.08) and given to qemu as the ELF file that it is.  The
 * same bytes run in either case.  Where anything is not as expected, the image is booted
 * the long way; whether it is an image at all has been looked at before (bzimage.c). */
#include "kernel/vmlinux.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "kernel/initramfs.h"
#include "kernel/modules.h"

enum { SETUP_SECTS = 0x1f1, MAGIC = 0x202, PROTOCOL = 0x206, PAYLOAD = 0x248, HEADER = 0x250 };
enum { SECTOR = 512, XEN_PHYS32_ENTRY = 18 };

static uint64_t number(const char *at, int bytes)
{
    uint64_t n = 0;
    while (bytes--)
        n = n << 8 | (unsigned char)at[bytes];
    return n;
}

static const char *find_payload(const char *image, size_t len, size_t *payload_len)
{
    if (len < HEADER || memcmp(image + MAGIC, "HdrS", 4) != 0 ||
        number(image + PROTOCOL, 2) < 0x208)
        return NULL;
    size_t sectors = (unsigned char)image[SETUP_SECTS];
    size_t at = ((sectors ? sectors : 4) + 1) * SECTOR + (size_t)number(image + PAYLOAD, 4);
    *payload_len = (size_t)number(image + PAYLOAD + 4, 4);
    return at <= len && *payload_len <= len - at ? image + at : NULL;
}

static size_t aligned(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static bool has_note(const char *notes, size_t len)
{
    for (size_t at = 0; len - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr h;
        memcpy(&h, notes + at, sizeof(h));
        at += sizeof(h);
        size_t need = aligned(h.n_namesz) + aligned(h.n_descsz);
        if (need > len - at)
            return false;
        if (h.n_type == XEN_PHYS32_ENTRY && h.n_namesz == 4 && memcmp(notes + at, "Xen", 4) == 0)
            return true;
        at += need;
    }
    return false;
}

bool vmlinux_has_pvh(const char *elf, size_t len)
{
    Elf64_Ehdr e;
    if (len < sizeof(e))
        return false;
    memcpy(&e, elf, sizeof(e));
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
        e.e_machine != EM_X86_64 || e.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (size_t i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr p;
        if (e.e_phoff > len || len - e.e_phoff < (i + 1) * sizeof(p))
            return false;
        memcpy(&p, elf + e.e_phoff + i * sizeof(p), sizeof(p));
        if (p.p_type == PT_NOTE && p.p_offset <= len && p.p_filesz <= len - p.p_offset &&
            has_note(elf + p.p_offset, p.p_filesz))
            return true;
    }
    return false;
}

static int keep(const char *data, size_t len)
{
    cleanup_fd int fd = memfd_create("tcplab-vmlinux", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return steal_fd(&fd);
}

int vmlinux_open(const char *image)
{
    struct initramfs file = {0};
    struct error err = ERROR_INIT;
    cleanup_free char *elf = NULL;
    size_t payload_len, len;
    int fd = -1;
    if (initramfs_add_file(&file, "image", image, &err) == 0) {
        const char *payload = find_payload(file.list.at[0].data, file.list.at[0].len, &payload_len);
        if (payload && module_unpack(payload, payload_len, &elf, &len, &err) == 0 &&
            vmlinux_has_pvh(elf, len))
            fd = keep(elf, len);
    }
    initramfs_free(&file);
    error_clear(&err);
    return fd;
}
