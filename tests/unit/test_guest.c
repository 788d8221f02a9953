/* What goes into a guest kernel and what comes out: the archive of its root, modules,
 * the job, messages.  The line from a guest is a stranger's: every damage is noticed. */
#include "unit.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/initramfs.h"
#include "kernel/job.h"
#include "kernel/message.h"
#include "kernel/modules.h"
#include "kernel/vmlinux.h"

/* --------------------------------------------------------------- messages --- */

static void write_three(struct strbuf *line)
{
    message_write(line, 0, MESSAGE_UP, "6.1", 3);
    message_write(line, 1, MESSAGE_BEAT, NULL, 0);
    message_write(line, 2, MESSAGE_DATA, "\0\1\2", 3);
}

/* Feeds the line in pieces of `step` bytes; the number of messages, or -1 for damage. */
static int read_line(const struct strbuf *line, size_t step)
{
    struct message_reader reader = {0};
    struct message m;
    struct error err = ERROR_INIT;
    int n = 0, ret = 0;
    for (size_t at = 0; at < line->len && ret >= 0; at += step) {
        message_feed(&reader, line->data + at, line->len - at < step ? line->len - at : step);
        while ((ret = message_next(&reader, &m, &err)) == 1)
            n++;
    }
    ck_assert_int_eq(ret < 0, error_is_set(&err));
    error_clear(&err);
    message_reader_free(&reader);
    return ret < 0 ? -1 : n;
}

START_TEST(messages_come_as_they_were_sent)
{
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    struct message_reader reader = {0};
    struct message m;
    struct error err = ERROR_INIT;
    write_three(&line);
    for (size_t step = 1; step <= line.len; step++)
        ck_assert_int_eq(read_line(&line, step), 3);
    message_feed(&reader, line.data, line.len);
    ck_assert_int_eq(message_next(&reader, &m, &err), 1);
    ck_assert_int_eq(m.type, MESSAGE_UP);
    ck_assert_mem_eq(m.data, "6.1", 3);
    ck_assert_int_eq(message_next(&reader, &m, &err), 1);
    ck_assert_uint_eq(m.len, 0);
    ck_assert_int_eq(message_next(&reader, &m, &err), 1);
    ck_assert_mem_eq(m.data, "\0\1\2", 3);
    ck_assert_int_eq(message_next(&reader, &m, &err), 0);
    message_reader_free(&reader);
}
END_TEST

START_TEST(every_damaged_byte_is_noticed)
{
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    write_three(&line);
    for (size_t at = 0; at < line.len; at++)
        for (int bit = 0; bit < 8; bit++) {
            line.data[at] = (char)(line.data[at] ^ (1 << bit));
            ck_assert_msg(read_line(&line, line.len) != 3, "byte %zu, bit %d", at, bit);
            line.data[at] = (char)(line.data[at] ^ (1 << bit));
        }
}
END_TEST

START_TEST(every_lost_byte_is_noticed)
{
    for (size_t at = 0;; at++) {
        struct strbuf line cleanup_strbuf = STRBUF_INIT;
        write_three(&line);
        if (at == line.len)
            break;
        memmove(line.data + at, line.data + at + 1, line.len - at - 1);
        strbuf_truncate(&line, line.len - 1);
        ck_assert_int_ne(read_line(&line, line.len), 3);
    }
}
END_TEST

START_TEST(lost_repeated_and_foreign_messages_are_noticed)
{
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    message_write(&line, 0, MESSAGE_UP, NULL, 0);
    message_write(&line, 2, MESSAGE_DONE, NULL, 0);
    ck_assert_int_eq(read_line(&line, line.len), -1);
    strbuf_truncate(&line, 0);
    message_write(&line, 0, MESSAGE_UP, NULL, 0);
    message_write(&line, 0, MESSAGE_UP, NULL, 0);
    ck_assert_int_eq(read_line(&line, line.len), -1);
    strbuf_truncate(&line, 0);
    message_write(&line, 0, MESSAGE_TYPE_COUNT, NULL, 0);
    ck_assert_int_eq(read_line(&line, line.len), -1);
    strbuf_truncate(&line, 0);
    strbuf_puts(&line, "[    0.000000] Linux version 6.1");
    ck_assert_int_eq(read_line(&line, line.len), -1);
}
END_TEST

/* A length that a guest makes up must not make the reader wait for it. */
START_TEST(a_message_that_is_too_long_is_noticed)
{
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *much = xcalloc(MESSAGE_MAX_PAYLOAD + 1, 1);
    message_write(&line, 0, MESSAGE_DATA, much, MESSAGE_MAX_PAYLOAD);
    ck_assert_int_eq(read_line(&line, line.len), 1);
    strbuf_truncate(&line, 0);
    message_write(&line, 0, MESSAGE_DATA, much, MESSAGE_MAX_PAYLOAD + 1);
    strbuf_truncate(&line, 20);
    ck_assert_int_eq(read_line(&line, line.len), -1);
}
END_TEST

/* -------------------------------------------------------------- initramfs --- */

static void archive(struct strbuf *out, bool backwards)
{
    static const char *const names[] = {"/bin/a", "init", "lib/x/y", "lib/x-y"};
    struct initramfs fs = {0};
    struct error err = ERROR_INIT;
    char chunk[512];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *name = names[backwards ? ARRAY_SIZE(names) - 1 - i : i];
        initramfs_add_bytes(&fs, name, 0755, name, strlen(name));
    }
    initramfs_add_bytes(&fs, "init", 0755, "another", 7);
    initramfs_add_device(&fs, "dev/console", 5, 1);
    ck_assert(initramfs_has(&fs, "/lib/x"));
    ck_assert(!initramfs_has(&fs, "/lib/z"));
    cleanup_fd int fd = initramfs_write(&fs, &err);
    ck_assert_int_ge(fd, 0);
    for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
        strbuf_add(out, chunk, (size_t)n);
    initramfs_free(&fs);
}

static unsigned field(const char *entry, int number)
{
    char text[9] = {0};
    memcpy(text, entry + 6 + 8 * (size_t)number, 8);
    return (unsigned)strtoul(text, NULL, 16);
}

/* Reads it as the kernel's init/initramfs.c does. */
START_TEST(the_archive_is_a_sound_cpio)
{
    static const char *const wanted[] = {"bin", "bin/a", "dev",     "dev/console", "init",
                                         "lib", "lib/x", "lib/x-y", "lib/x/y",     "TRAILER!!!"};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    archive(&text, false);
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        ck_assert_uint_le(at + 110, text.len);
        const char *e = text.data + at;
        ck_assert_mem_eq(e, "070701", 6);
        size_t size = field(e, 6), name = field(e, 11);
        ck_assert_str_eq(e + 110, wanted[i]);
        ck_assert_uint_eq(name, strlen(wanted[i]) + 1);
        ck_assert_uint_eq(field(e, 5), 0); /* time */
        at = (at + 110 + name + 3) & ~(size_t)3;
        if (strcmp(wanted[i], "init") == 0)
            ck_assert_mem_eq(text.data + at, "init", 4);
        if (strcmp(wanted[i], "dev/console") == 0)
            ck_assert(S_ISCHR(field(e, 1)) && field(e, 9) == 5 && field(e, 10) == 1);
        at = (at + size + 3) & ~(size_t)3;
    }
    ck_assert_uint_eq(at, text.len);
}
END_TEST

START_TEST(the_same_content_is_the_same_archive)
{
    struct strbuf one cleanup_strbuf = STRBUF_INIT, two cleanup_strbuf = STRBUF_INIT;
    archive(&one, false);
    archive(&two, true);
    ck_assert_uint_eq(one.len, two.len);
    ck_assert_mem_eq(one.data, two.data, one.len);
}
END_TEST

/* ---------------------------------------------------------------- modules --- */

static const char veth[] = "\177ELF....\0license=GPL\0depends=stp,llc\0name=veth";

START_TEST(depends_are_read_within_the_data)
{
    cleanup_free char *two = module_depends(veth, sizeof(veth));
    cleanup_free char *cut = module_depends(veth, 34);
    cleanup_free char *none = module_depends("depends=x", 9);
    ck_assert_str_eq(two, "stp,llc");
    ck_assert_str_eq(cut, "stp,l");
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(damaged_modules_are_refused)
{
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {{"", 0},
               {"text", 4},
               {"\3757zXZ\0\0\4\346\326\264F", 12},
               {"\x28\xb5\x2f\xfd\x04\x88", 6},
               {"\x1f\x8b\x08\0\0\0\0\0\0\3", 10},
               {"\x1f\x8b", 2}};
    char *out;
    size_t len;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error err = ERROR_INIT;
        ck_assert_int_lt(module_unpack(bad[i].data, bad[i].len, &out, &len, &err), 0);
        ck_assert_int_eq(err.status, STATUS_MACHINE);
        error_clear(&err);
    }
    struct error err = ERROR_INIT;
    ck_assert_int_eq(module_unpack(veth, sizeof(veth), &out, &len, &err), 0);
    ck_assert_uint_eq(len, sizeof(veth));
    free(out);
}
END_TEST

static void put_file(const char *dir, const char *name, const char *data, size_t len)
{
    cleanup_free char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    fclose(f);
}

static char dir[64];

static void make_modules(void)
{
    static const char bridge[] = "\177ELF....\0depends=stp\0";
    static const char stp[] = "\177ELF....\0depends=bridge\0"; /* a circle */
    snprintf(dir, sizeof(dir), "/tmp/tcplab-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    put_file(dir, "veth.ko", veth, sizeof(veth));
    put_file(dir, "bridge.ko", bridge, sizeof(bridge));
    put_file(dir, "stp.ko", stp, sizeof(stp));
    put_file(dir, "modules.builtin", "kernel/net/llc/llc.ko\n", 22);
}

static void remove_modules(void)
{
    static const char *const names[] = {"veth.ko", "bridge.ko", "stp.ko", "modules.builtin", ""};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *path = xasprintf("%s/%s", dir, names[i]);
        remove(path);
    }
}

START_TEST(modules_come_in_the_order_of_loading)
{
    struct initramfs fs = {0};
    struct error err = ERROR_INIT;
    ck_assert_msg(modules_add(&fs, dir, &err) == 0, "%s", err.message);
    ck_assert(initramfs_has(&fs, "lib/modules/000-bridge.ko"));
    ck_assert(initramfs_has(&fs, "lib/modules/001-stp.ko"));
    ck_assert(initramfs_has(&fs, "lib/modules/002-veth.ko"));
    initramfs_free(&fs);
}
END_TEST

START_TEST(a_kernel_without_veth_is_refused)
{
    struct initramfs fs = {0};
    struct error err = ERROR_INIT;
    cleanup_free char *path = xasprintf("%s/veth.ko", dir);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_lt(modules_add(&fs, dir, &err), 0);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "has no cables (veth)"));
    ck_assert_ptr_nonnull(err.hint);
    error_clear(&err);
    initramfs_free(&fs);
    put_file(dir, "modules.builtin", "kernel/net/llc/llc.ko\nkernel/drivers/net/veth.ko\n", 49);
    ck_assert_int_eq(modules_add(&fs, dir, &err), 0);
    initramfs_free(&fs);
}
END_TEST

/* -------------------------------------------------------------------- job --- */

START_TEST(a_job_is_read_as_it_was_written)
{
    static const char text[] = "option --vary\noption port=99\nlab 0 41000000000 handshake\n"
                               "lab 7 0 a lab with blanks\n";
    struct strbuf again cleanup_strbuf = STRBUF_INIT;
    struct kernel_job job;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_job_read(&job, text, sizeof(text) - 1, &err), 0);
    ck_assert_uint_eq(job.labs.n, 2);
    ck_assert_uint_eq(job.labs.at[1].number, 7);
    ck_assert_str_eq(job.labs.at[1].name, "a lab with blanks");
    kernel_job_write(&again, &job);
    ck_assert_str_eq(strbuf_cstr(&again), text);
    kernel_job_free(&job);
}
END_TEST

START_TEST(a_job_of_another_kind_is_refused)
{
    static const char *const bad[] = {"lab",          "lab 1 2", "lab x 2 a", "lab 1 -2 a",
                                      "lab 1 2 ../a", "\n",      "options a"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct kernel_job job;
        struct error err = ERROR_INIT;
        ck_assert_msg(kernel_job_read(&job, bad[i], strlen(bad[i]), &err) < 0, "%s", bad[i]);
        error_clear(&err);
        kernel_job_free(&job);
    }
}
END_TEST

/* ---------------------------------------------------------------- vmlinux --- */

struct kernel {
    Elf64_Ehdr e;
    Elf64_Phdr p;
    Elf64_Nhdr other;
    char other_text[8]; /* "GNU" and 4 bytes */
    Elf64_Nhdr note;
    char name[4];
    char entry[8];
};

static struct kernel a_kernel(void)
{
    struct kernel k = {.other = {.n_namesz = 4, .n_descsz = 3, .n_type = 3},
                       .note = {.n_namesz = 4, .n_descsz = 8, .n_type = 18},
                       .name = "Xen"};
    memcpy(k.e.e_ident, ELFMAG, SELFMAG);
    k.e.e_ident[EI_CLASS] = ELFCLASS64;
    k.e.e_machine = EM_X86_64;
    k.e.e_phoff = offsetof(struct kernel, p);
    k.e.e_phentsize = sizeof(k.p);
    k.e.e_phnum = 1;
    k.p.p_type = PT_NOTE;
    k.p.p_offset = offsetof(struct kernel, other);
    k.p.p_filesz = sizeof(k) - k.p.p_offset;
    return k;
}

static bool has_pvh(const struct kernel *k, size_t len)
{
    cleanup_free char *exact = xmemdup(k, len ? len : 1); /* for the sanitizer to see its end */
    return vmlinux_has_pvh(exact, len);
}

START_TEST(an_entry_for_pvh_is_found)
{
    struct kernel k = a_kernel();
    ck_assert(has_pvh(&k, sizeof(k)));
    k.note.n_type = 17;
    ck_assert(!has_pvh(&k, sizeof(k)));
    k = a_kernel();
    k.e.e_ident[EI_CLASS] = ELFCLASS32;
    ck_assert(!has_pvh(&k, sizeof(k)));
}
END_TEST

START_TEST(a_malformed_elf_has_no_entry)
{
    struct kernel good = a_kernel();
    for (size_t len = 0; len < sizeof(good); len++)
        ck_assert(!has_pvh(&good, len));
    for (int i = 0; i < 5; i++) {
        struct kernel k = good;
        k.e.e_phoff = i == 0 ? UINT64_MAX - 8 : k.e.e_phoff;
        k.p.p_offset = i == 1 ? UINT64_MAX - 8 : k.p.p_offset;
        k.p.p_filesz = i == 2 ? UINT64_MAX : k.p.p_filesz;
        k.other.n_namesz = i == 3 ? UINT32_MAX : k.other.n_namesz;
        k.other.n_descsz = i == 4 ? UINT32_MAX - 2 : k.other.n_descsz;
        ck_assert_msg(!has_pvh(&k, sizeof(k)), "%d", i);
    }
}
END_TEST

static Suite *suite_guest(void)
{
    Suite *s = suite_create("guest");
    TCase *t = tcase_create("messages");
    tcase_add_test(t, messages_come_as_they_were_sent);
    tcase_add_test(t, every_damaged_byte_is_noticed);
    tcase_add_test(t, every_lost_byte_is_noticed);
    tcase_add_test(t, lost_repeated_and_foreign_messages_are_noticed);
    tcase_add_test(t, a_message_that_is_too_long_is_noticed);
    suite_add_tcase(s, t);
    t = tcase_create("root");
    tcase_add_test(t, the_archive_is_a_sound_cpio);
    tcase_add_test(t, the_same_content_is_the_same_archive);
    tcase_add_test(t, a_job_is_read_as_it_was_written);
    tcase_add_test(t, a_job_of_another_kind_is_refused);
    suite_add_tcase(s, t);
    t = tcase_create("modules");
    tcase_add_checked_fixture(t, make_modules, remove_modules);
    tcase_add_test(t, depends_are_read_within_the_data);
    tcase_add_test(t, damaged_modules_are_refused);
    tcase_add_test(t, modules_come_in_the_order_of_loading);
    tcase_add_test(t, a_kernel_without_veth_is_refused);
    suite_add_tcase(s, t);
    t = tcase_create("vmlinux");
    tcase_add_test(t, an_entry_for_pvh_is_found);
    tcase_add_test(t, a_malformed_elf_has_no_entry);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_guest)
