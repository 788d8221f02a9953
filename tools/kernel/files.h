/* Files and folders: whole trees of them. */
#ifndef KERNEL_FILES_H
#define KERNEL_FILES_H

#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

/* Errors of all are STATUS_MACHINE and name the file. */

/* Makes a folder and those above it. */
int files_make_folder(const char *path, struct error *err);
/* Copies a file's bytes to a new file, whose folders are made. */
int files_copy(const char *from, const char *to, struct error *err);
int files_write(const char *path, const char *text, struct error *err);
/* Removes a folder with all that is in it, links not followed; none: nothing. */
void files_remove(const char *path);

struct file_list {
    VEC(char *) list; /* paths below the folder, sorted */
    uint64_t bytes;
};

/* All files below a folder; links are none. */
int files_list(struct file_list *files, const char *folder, struct error *err);
void files_list_free(struct file_list *files);

#endif
