/* The head of an x86 kernel image (Documentation/arch/x86/boot.rst, "The Real-Mode
 * Kernel Header"). */
#ifndef KERNEL_BZIMAGE_H
#define KERNEL_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* As much of a file as can hold the header and the version text that it points to. */
#define BZIMAGE_HEAD_MAX (0x200 + 0xffff + 256)

/* Looks at the first `len` bytes (up to BZIMAGE_HEAD_MAX) of a file of `size` bytes; `path`
 * is for messages.  The release (`uname -r`), which the caller frees, or NULL: STATUS_USAGE
 * says what the file is instead.  A release is safe as a file's name. */
char *bzimage_release(const uint8_t *head, size_t len, uint64_t size, const char *path,
                      struct error *err);

/* The same for a file. */
char *bzimage_read_release(const char *path, struct error *err);

#endif
