/* Theory of operation.
 *
 * A boot plays all labs that have not been reported yet.  The guest says which lab it
 * begins, sends its evidence, and says that it is over; it counts as played only when
 * the guest has then gone on (to the next lab, or to its end): a kernel that dies of
 * the clearing up after a lab did not survive it.
 *
 * When a guest ends in any other way, the lab that it was at is broken, and the rest
 * is played in a new boot.  So every boot reports at least one lab: one that came to
 * none makes the rest of them broken, all for the same reason. */
#include "kernel/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/initramfs.h"
#include "kernel/job.h"
#include "kernel/modules.h"
#include "kernel/userland.h"
#include "kernel/vm.h"
#include "kernel/vmlinux.h"
#include "record/load.h"
#include "record/save.h"

static const char *const evidence_files[] = {EVIDENCE_CAPTURE, EVIDENCE_EVENTS, EVIDENCE_TRANSCRIPT,
                                             EVIDENCE_RESULT};

struct boot {
    struct loop *loop;
    struct boot_options options;
    struct boot_events events;
    struct vm *vm;
    int vmlinux; /* vm_options.vmlinux */
    loop_id restart;
    bool *reported; /* one a lab */
    long current;   /* the lab that the guest is at, -1: none yet */
    bool up, over;  /* it is ready; the current lab's evidence is complete */
    bool done, interrupted;
    char *dir; /* for the evidence of the current lab */
    int file;  /* the one of its files that is being received, -1: none */
    size_t file_bytes;
    char *printed;
    struct error err; /* why the guest cannot go on, by what it said */
};

/* ------------------------------------------------------------- the guest's root */

static int add_programs(struct initramfs *fs, const struct lab *lab, struct strbuf *path,
                        struct error *err)
{
    vec_each (&lab->requires_, r)
        if (r->kind == REQUIRE_PROGRAM && userland_add_program(fs, r->what, path, err) < 0)
            return -1;
    vec_each (&lab->steps, step)
        if (step->verb == VERB_RUN && step->args.n > 1 &&
            userland_add_program(fs, step->args.at[1].text, path, err) < 0)
            return -1;
    return 0;
}

static int add_lab(struct initramfs *fs, const struct boot_lab *bl, struct strbuf *path,
                   struct error *err)
{
    const struct lab *lab = bl->lab;
    if (strchr(lab->name, '\n') || strlen(lab->name) > 200)
        return error_set(err, STATUS_USAGE, "a lab of this name cannot go into a guest: %s",
                         lab->name);
    cleanup_free char *text = xasprintf("labs/%s.md", lab->name);
    cleanup_free char *expected = xasprintf("expected/%s.txt", lab->name);
    initramfs_add_bytes(fs, text, 0644, lab->source.text, lab->source.len);
    initramfs_add_bytes(fs, expected, 0644, bl->expected->text, bl->expected->len);
    return add_programs(fs, lab, path, err);
}

static int add_job(struct boot *boot, struct initramfs *fs, struct strbuf *path, struct error *err)
{
    struct kernel_job job = {0};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    int ret = 0;
    for (size_t i = 0; i < boot->options.n_run_options; i++)
        vec_push(&job.options, xstrdup(boot->options.run_options[i]));
    for (size_t i = 0; i < boot->options.n_labs && ret == 0; i++) {
        const struct boot_lab *bl = &boot->options.labs[i];
        if (boot->reported[i])
            continue;
        vec_push(&job.labs,
                 ((struct kernel_job_lab){
                     .number = (uint32_t)i, .limit = bl->limit, .name = xstrdup(bl->lab->name)}));
        ret = add_lab(fs, bl, path, err);
    }
    kernel_job_write(&text, &job);
    initramfs_add_bytes(fs, KERNEL_JOB_PATH, 0644, strbuf_cstr(&text), text.len);
    kernel_job_free(&job);
    return ret;
}

/* The descriptor of the archive; `path` becomes the guest's path of libraries. */
static int make_root(struct boot *boot, struct strbuf *path, struct error *err)
{
    struct initramfs fs = {0};
    static const char *const folders[] = {"dev", "proc", "sys", "tmp", "out", "run", "etc"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        initramfs_add_dir(&fs, folders[i]);
    initramfs_add_device(&fs, "dev/console", 5, 1);
    int fd = -1;
    if (userland_add_self(&fs, path, err) == 0 && add_job(boot, &fs, path, err) == 0 &&
        (!boot->options.kernel->modules ||
         modules_add(&fs, boot->options.kernel->modules, err) == 0))
        fd = initramfs_write(&fs, err);
    initramfs_free(&fs);
    return fd;
}

/* --------------------------------------------------------------- evidence --- */

static void remove_dir(struct boot *boot)
{
    if (boot->file >= 0)
        close(boot->file);
    boot->file = -1;
    if (!boot->dir)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(evidence_files); i++) {
        cleanup_free char *path = xasprintf("%s/%s", boot->dir, evidence_files[i]);
        unlink(path);
    }
    rmdir(boot->dir);
    free(boot->dir);
    boot->dir = NULL;
}

static int make_dir(struct boot *boot)
{
    const char *tmp = getenv("TMPDIR");
    boot->dir = xasprintf("%s/tcplab-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(boot->dir))
        return 0;
    error_sys(&boot->err, STATUS_MACHINE, errno, "cannot make a folder such as %s", boot->dir);
    free(boot->dir);
    boot->dir = NULL;
    return -1;
}

static int unexpected(struct boot *boot)
{
    return error_set(&boot->err, STATUS_MACHINE, "the guest said what makes no sense here");
}

static int open_file(struct boot *boot, const struct message *m)
{
    if (boot->file >= 0)
        close(boot->file);
    boot->file = -1;
    boot->file_bytes = 0;
    for (size_t i = 0; i < ARRAY_SIZE(evidence_files); i++) {
        if (strlen(evidence_files[i]) != m->len || memcmp(evidence_files[i], m->data, m->len) != 0)
            continue;
        cleanup_free char *path = xasprintf("%s/%s", boot->dir, evidence_files[i]);
        boot->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return boot->file >= 0
                   ? 0
                   : error_sys(&boot->err, STATUS_MACHINE, errno, "cannot create %s", path);
    }
    return unexpected(boot);
}

static int write_file(struct boot *boot, const struct message *m)
{
    if (boot->file < 0)
        return unexpected(boot);
    boot->file_bytes += m->len;
    if (boot->file_bytes > EVIDENCE_MAX_CAPTURE)
        return error_set(&boot->err, STATUS_MACHINE, "the evidence is too large");
    for (size_t at = 0; at < m->len;) {
        ssize_t n = write(boot->file, m->data + at, m->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(&boot->err, STATUS_MACHINE, errno, "cannot keep the evidence");
        at += (size_t)n;
    }
    return 0;
}

/* --------------------------------------------------------------- messages --- */

static void report_played(struct boot *boot)
{
    if (!boot->over)
        return;
    size_t lab = (size_t)boot->current;
    boot->over = false;
    boot->current = -1;
    boot->reported[lab] = true;
    boot->events.played(boot->events.ctx, lab, boot->dir, boot->printed);
    remove_dir(boot);
}

static int begin_lab(struct boot *boot, const struct message *m)
{
    report_played(boot);
    if (!boot->up || m->len != 4 || boot->current >= 0)
        return unexpected(boot);
    size_t lab = message_get_u32(m->data);
    if (lab >= boot->options.n_labs || boot->reported[lab])
        return unexpected(boot);
    boot->current = (long)lab;
    boot->events.progress(boot->events.ctx, boot->current);
    return make_dir(boot);
}

static int end_lab(struct boot *boot, const struct message *m)
{
    if (m->len < 4)
        return unexpected(boot);
    if (boot->file >= 0)
        close(boot->file);
    boot->file = -1;
    free(boot->printed);
    boot->printed = xstrndup(m->data + 4, m->len - 4);
    boot->over = true;
    return 0;
}

static int cannot(struct boot *boot, const struct message *m)
{
    size_t first = strnlen(m->data, m->len);
    error_set(&boot->err, STATUS_MACHINE, "%.*s", (int)first, m->data);
    if (first + 1 < m->len)
        error_hint(&boot->err, "%.*s", (int)(m->len - first - 1), m->data + first + 1);
    return -1;
}

static int finish_all(struct boot *boot)
{
    report_played(boot);
    for (size_t i = 0; i < boot->options.n_labs; i++)
        if (!boot->reported[i])
            return unexpected(boot);
    boot->done = true;
    vm_stop(boot->vm);
    return 0;
}

static int take_message(struct boot *boot, const struct message *m)
{
    bool at_lab = boot->current >= 0 && !boot->over;
    switch (m->type) {
    case MESSAGE_UP:
        boot->up = true;
        return 0;
    case MESSAGE_CANNOT:
        return cannot(boot, m);
    case MESSAGE_BEGIN:
        return begin_lab(boot, m);
    case MESSAGE_BEAT:
        return 0;
    case MESSAGE_FILE:
        return at_lab ? open_file(boot, m) : unexpected(boot);
    case MESSAGE_DATA:
        return at_lab ? write_file(boot, m) : unexpected(boot);
    case MESSAGE_STUCK:
        return error_set(&boot->err, STATUS_MACHINE,
                         "the guest hung: what plays the lab does not end, nor can it be ended");
    case MESSAGE_END:
        return at_lab ? end_lab(boot, m) : unexpected(boot);
    case MESSAGE_DONE:
        return finish_all(boot);
    case MESSAGE_TYPE_COUNT:
        break;
    }
    return unexpected(boot);
}

static void on_message(void *ctx, const struct message *m)
{
    struct boot *boot = ctx;
    if (take_message(boot, m) < 0)
        vm_stop(boot->vm);
}

/* -------------------------------------------------------------------- end --- */

static void report_broken(struct boot *boot, size_t lab, const struct error *why,
                          const char *console)
{
    struct error err = ERROR_INIT;
    error_set(&err, STATUS_MACHINE, "%s", why->message);
    if (why->hint)
        error_hint(&err, "%s", why->hint);
    boot->reported[lab] = true;
    boot->events.broken(boot->events.ctx, lab, &err, console);
    error_clear(&err);
}

static void break_rest(struct boot *boot, const struct error *why, const char *console)
{
    for (size_t i = 0; i < boot->options.n_labs; i++)
        if (!boot->reported[i])
            report_broken(boot, i, why, console);
}

static bool is_all_reported(const struct boot *boot)
{
    for (size_t i = 0; i < boot->options.n_labs; i++)
        if (!boot->reported[i])
            return false;
    return true;
}

/* Makes boot->err say what became of the guest, and at which lab. */
static void name_the_end(struct boot *boot, const char *why, const char *detail)
{
    const char *kernel = boot->options.kernel->name;
    if (error_is_set(&boot->err)) {
        why = boot->err.message;
        detail = NULL;
    } else if (boot->interrupted) {
        why = "interrupted";
    }
    char *where =
        boot->current >= 0
            ? xasprintf("%s in lab %s, on Linux %s", why,
                        boot->options.labs[boot->current].lab->name, kernel)
            : xasprintf("Linux %s %s: %s", kernel, boot->up ? "ended" : "did not come up", why);
    struct error named = ERROR_INIT;
    error_set(&named, STATUS_MACHINE, "%s%s%s", where, detail ? ": " : "", detail ? detail : "");
    if (boot->err.hint)
        error_hint(&named, "%s", boot->err.hint);
    free(where);
    error_clear(&boot->err);
    boot->err = named;
}

static void on_restart(void *ctx, nsec due);

static void on_ended(void *ctx, const char *why, const char *detail)
{
    struct boot *boot = ctx;
    cleanup_free char *console = vm_last_lines(boot->vm);
    if (!boot->done) {
        name_the_end(boot, why, detail);
        long lab = boot->current;
        bool hopeless = lab < 0 || boot->interrupted;
        boot->current = -1;
        boot->over = false;
        remove_dir(boot);
        if (lab >= 0)
            report_broken(boot, (size_t)lab, &boot->err, console);
        if (hopeless)
            break_rest(boot, &boot->err, lab < 0 ? console : "");
        error_clear(&boot->err);
    }
    if (!is_all_reported(boot))
        boot->restart = loop_add_timer(boot->loop, 0, 0, on_restart, boot);
}

static int start_vm(struct boot *boot, struct error *err)
{
    struct strbuf path cleanup_strbuf = STRBUF_INIT;
    cleanup_fd int initrd = make_root(boot, &path, err);
    if (initrd < 0)
        return -1;
    cleanup_free char *append =
        xasprintf("%s%s -- guest", path.len ? "LD_LIBRARY_PATH=" : "", strbuf_cstr(&path));
    struct vm_options options = {.kernel = boot->options.kernel->image,
                                 .vmlinux = boot->vmlinux,
                                 .initrd = initrd,
                                 .append = append,
                                 .silence = boot->options.silence};
    struct vm_events events = {.message = on_message, .ended = on_ended, .ctx = boot};
    boot->up = boot->done = false;
    boot->vm = vm_start(boot->loop, &options, &events, err);
    return boot->vm ? 0 : -1;
}

static void on_restart(void *ctx, nsec due)
{
    struct boot *boot = ctx;
    struct error err = ERROR_INIT;
    (void)due;
    vm_free(boot->vm);
    boot->vm = NULL;
    boot->events.progress(boot->events.ctx, -1);
    if (start_vm(boot, &err) == 0)
        return;
    break_rest(boot, &err, "");
    error_clear(&err);
}

struct boot *boot_start(struct loop *loop, const struct boot_options *options,
                        const struct boot_events *events, struct error *err)
{
    struct boot *boot = xcalloc(1, sizeof(*boot));
    *boot = (struct boot){.loop = loop,
                          .options = *options,
                          .events = *events,
                          .reported = xcalloc(options->n_labs, sizeof(bool)),
                          .vmlinux = vmlinux_open(options->kernel->image),
                          .current = -1,
                          .file = -1};
    if (start_vm(boot, err) == 0) {
        events->progress(events->ctx, -1);
        return boot;
    }
    boot_free(boot);
    return NULL;
}

void boot_interrupt(struct boot *boot)
{
    boot->interrupted = true;
    if (boot->vm)
        vm_stop(boot->vm);
}

void boot_free(struct boot *boot)
{
    if (!boot)
        return;
    vm_free(boot->vm);
    loop_remove(boot->loop, boot->restart);
    remove_dir(boot);
    if (boot->vmlinux >= 0)
        close(boot->vmlinux);
    free(boot->printed);
    free(boot->reported);
    error_clear(&boot->err);
    free(boot);
}
