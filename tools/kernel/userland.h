/* What a guest's root needs of this machine: tcplab itself as /init, the shared
 * libraries that are mapped into this process, and programs that labs run. */
#ifndef KERNEL_USERLAND_H
#define KERNEL_USERLAND_H

#include "base/strbuf.h"
#include "kernel/initramfs.h"

/* Folders of libraries as LD_LIBRARY_PATH has them are added to `path`. */
int userland_add_self(struct initramfs *fs, struct strbuf *path, struct error *err);

/* A program of this machine's PATH as /bin/NAME, with its libraries.  One that is not
 * there is left out: the lab says so, as it does on this machine. */
int userland_add_program(struct initramfs *fs, const char *name, struct strbuf *path,
                         struct error *err);

#endif
