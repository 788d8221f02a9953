#include "kernel/userland.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/program.h"

extern char **environ;

enum { MAX_LISTING = 64 << 10 };

struct self {
    struct initramfs *fs;
    struct strbuf *path;
    struct error *err;
};

static void add_folder(struct strbuf *path, const char *library)
{
    size_t len = (size_t)(strrchr(library, '/') - library);
    const char *at = strbuf_cstr(path);
    while (*at) {
        size_t n = strcspn(at, ":");
        if (n == len && memcmp(at, library, n) == 0)
            return;
        at += n + (at[n] == ':');
    }
    if (path->len)
        strbuf_putc(path, ':');
    strbuf_add(path, library, len);
}

static int add_library(struct initramfs *fs, const char *library, struct strbuf *path,
                       struct error *err)
{
    if (library[0] != '/')
        return 0; /* the main program, and what the kernel maps itself */
    add_folder(path, library);
    return initramfs_add_file(fs, library, library, err);
}

/* The loader has names by which it found the libraries, itself among them. */
static int add_mapped(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct self *self = ctx;
    (void)size;
    return add_library(self->fs, info->dlpi_name, self->path, self->err);
}

int userland_add_self(struct initramfs *fs, struct strbuf *path, struct error *err)
{
    struct self self = {.fs = fs, .path = path, .err = err};
    if (initramfs_add_file(fs, "init", "/proc/self/exe", err) < 0)
        return -1;
    return dl_iterate_phdr(add_mapped, &self) ? -1 : 0;
}

/* --------------------------------------------------------------- programs --- */

static int find_loader(struct dl_phdr_info *info, size_t size, void *ctx)
{
    const char **loader = ctx;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_INTERP)
            continue;
        /* The address of a mapped string. */
        *loader = (const char *)(uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); // NOLINT
        return 1;
    }
    return 0;
}

static void read_listing(int fd, struct strbuf *out)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        if (out->len < MAX_LISTING)
            strbuf_add(out, chunk, (size_t)n);
    }
}

/* What the loader prints with --list: nothing for a program without libraries. */
static int list_libraries(const char *program, struct strbuf *out, struct error *err)
{
    const char *loader = NULL;
    int ends[2], status;
    pid_t pid;
    dl_iterate_phdr(find_loader, &loader);
    if (!loader)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    cleanup_free char *file = xstrdup(program);
    cleanup_free char *own = xstrdup(loader);
    char option[] = "--list";
    char *argv[] = {own, option, file, NULL};
    int cause = posix_spawn(&pid, own, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    if (cause == 0) {
        read_listing(ends[0], out);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    return cause ? error_sys(err, STATUS_MACHINE, cause, "cannot start %s", loader) : 0;
}

int userland_add_program(struct initramfs *fs, const char *name, struct strbuf *path,
                         struct error *err)
{
    struct strbuf listing cleanup_strbuf = STRBUF_INIT;
    if (strchr(name, '/') || !*name)
        return 0;
    cleanup_free char *from = program_find(name, "/usr/sbin:/usr/bin:/sbin:/bin");
    cleanup_free char *to = xasprintf("bin/%s", name);
    if (!from || initramfs_has(fs, to))
        return 0;
    if (initramfs_add_file(fs, to, from, err) < 0 || list_libraries(from, &listing, err) < 0)
        return -1;
    /* "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)" */
    char *save = NULL, *text = listing.data;
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save)) {
        char *library = strchr(line, '/');
        if (!library)
            continue;
        library[strcspn(library, " ")] = '\0';
        if (add_library(fs, library, path, err) < 0)
            return -1;
    }
    return 0;
}
