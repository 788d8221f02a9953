/* Kernel images: what is one, what is none, and where its modules are. */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "kernel/bzimage.h"
#include "kernel/cache.h"
#include "kernel/image.h"
#include "unit.h"

enum { IMAGE_SIZE = 4 * 512 + 64 * 16 };

/* A well-formed image of no kernel at all: 3 setup sectors, 64 paragraphs. */
static void make_image(uint8_t image[IMAGE_SIZE], const char *version)
{
    memset(image, 0, IMAGE_SIZE);
    image[0x1f1] = 3;
    image[0x1f4] = 64;
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f; /* protocol 2.15 */
    image[0x207] = 0x02;
    image[0x20f] = 0x02; /* the version text is at 0x200 + 0x200 */
    image[0x211] = 1;
    image[0x236] = 1;
    memcpy(image + 0x400, version, strlen(version) + 1);
}

static char *tree; /* a folder of each test's own */

static void put_file(const char *name, const void *bytes, size_t n)
{
    cleanup_free char *path = xasprintf("%s/%s", tree, name);
    for (char *slash = path + strlen(tree) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void put_image(const char *name, const char *version)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image, version);
    put_file(name, image, sizeof(image));
}

static void setup(void)
{
    char name[] = "/tmp/tcplab-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    tree = xstrdup(name);
    setenv("XDG_CACHE_HOME", tree, 1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void teardown(void)
{
    nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(tree);
}

static const char *below(const char *name)
{
    static char paths[4][512]; /* for as many in one call */
    static int last;
    char *path = paths[last++ % 4];
    snprintf(path, sizeof(paths[0]), "%s%s%s", tree, *name ? "/" : "", name);
    return path;
}

static void check_found(const char *what, const char *release, const char *image,
                        const char *modules)
{
    struct kernel_image k;
    struct error err = ERROR_INIT;
    int result = kernel_find(&k, what, NULL, &err);
    ck_assert_msg(result == 0, "%s: %s", what, err.message);
    ck_assert_str_eq(k.release, release);
    ck_assert_str_eq(k.name, release);
    ck_assert_str_eq(k.image, below(image));
    if (modules)
        ck_assert_str_eq(k.modules, below(modules));
    else
        ck_assert_ptr_null(k.modules);
    kernel_image_free(&k);
}

static void check_refused(const char *what, const char *modules, const char *message,
                          const char *hint)
{
    struct kernel_image k;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_find(&k, what, modules, &err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(strstr(err.message, message), "\"%s\" lacks \"%s\"", err.message, message);
    if (hint)
        ck_assert_msg(err.hint && strstr(err.hint, hint), "hint \"%s\" lacks \"%s\"",
                      err.hint ? err.hint : "", hint);
    ck_assert_ptr_null(k.image);
    error_clear(&err);
}

static const char version[] = "6.1.0-56-amd64 (someone@somewhere) #1 SMP";

START_TEST(test_release)
{
    uint8_t image[IMAGE_SIZE];
    struct error err = ERROR_INIT;
    make_image(image, version);
    char *release = bzimage_release(image, sizeof(image), IMAGE_SIZE, "x", &err);
    ck_assert_str_eq(release, "6.1.0-56-amd64");
    free(release);
    /* setup_sects 0 means 4: one sector more than is there */
    image[0x1f1] = 0;
    ck_assert_ptr_null(bzimage_release(image, sizeof(image), IMAGE_SIZE, "x", &err));
    ck_assert_str_eq(err.message, "x is cut off: it has 3072 bytes, and its header says 3584");
    error_clear(&err);
}
END_TEST

/* Whatever the length: never a byte behind it is read (the sanitizers see to it). */
START_TEST(test_every_length)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image, version);
    for (size_t n = 0; n < sizeof(image); n++) {
        struct error err = ERROR_INIT;
        uint8_t *exact = xcalloc(n + 1, 1);
        uint8_t *at = exact + 1; /* ends where the allocation does */
        memcpy(at, image, n);
        ck_assert_ptr_null(bzimage_release(at, n, n, "x", &err));
        ck_assert_int_eq(err.status, STATUS_USAGE);
        error_clear(&err);
        free(exact);
    }
}
END_TEST

static const struct {
    size_t at;
    const char *bytes;
    size_t n;
    const char *message;
} broken[] = {
    {0x1fe, "\0", 1, "not a Linux kernel image"},
    {0x202, "hDRs", 4, "not a Linux kernel image"},
    {0x206, "\0\1", 2, "older kind"},
    {0x206, "\x0b\2", 2, "no 64-bit kernel"},
    {0x211, "\0", 1, "older kind"},
    {0x236, "\0", 1, "no 64-bit kernel"},
    {0x1f4, "\xff\xff\xff\xff", 4, "cut off"},
    {0x20e, "\0\0", 2, "no version text"},
    {0x20e, "\xff\xff", 2, "no version text"},
    {0x400, "../../../../x ", 14, "no version text"},
    {0x400, "6.1/../../../x ", 15, "no version text"},
    {0x400, "6.1\n", 4, "no version text"},
    {0x400, "\0", 1, "no version text"},
    {0x400, "6.10000000000000000000000000000000000000000000000000000000000000000 ", 68,
     "no version text"},
};

START_TEST(test_broken)
{
    uint8_t image[IMAGE_SIZE];
    struct error err = ERROR_INIT;
    make_image(image, version);
    memcpy(image + broken[_i].at, broken[_i].bytes, broken[_i].n);
    ck_assert_ptr_null(bzimage_release(image, sizeof(image), IMAGE_SIZE, "x", &err));
    ck_assert_msg(strstr(err.message, broken[_i].message), "%s", err.message);
    error_clear(&err);
}
END_TEST

START_TEST(test_foreign)
{
    uint8_t arm[128] = {0};
    memcpy(arm + 0x38, "ARM\x64", 4);
    put_file("Image", arm, sizeof(arm));
    put_file("vmlinux", "\177ELF\2\1\1", 8);
    put_file("notes.txt", "hello\n", 6);
    put_file("empty", "", 0);
    put_file("k.deb", "!<arch>\ndebian-binary", 21);
    check_refused(below("Image"), NULL, "64-bit Arm", NULL);
    check_refused(below("vmlinux"), NULL, "ELF", "arch/x86/boot/bzImage");
    check_refused(below("notes.txt"), NULL, "notes.txt is a text file", "HdrS");
    check_refused(below("empty"), NULL, "is empty", NULL);
    check_refused(below("k.deb"), NULL, "a package", "kernel add");
    check_refused(below("nothing"), NULL, "No such file", NULL);
    check_refused("", NULL, "there is no kernel", "build tree");
    check_refused("no-such-kernel", NULL, "there is no kernel", "build tree");
    check_refused("/dev/null", NULL, "is not a file", NULL);
}
END_TEST

START_TEST(test_truncated_file)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image, version);
    put_file("vmlinuz", image, IMAGE_SIZE - 1);
    check_refused(below("vmlinuz"), NULL, "cut off: it has 3071 bytes, and its header says 3072",
                  "again");
}
END_TEST

START_TEST(test_alone)
{
    put_image("vmlinuz", version);
    check_found(below("vmlinuz"), "6.1.0-56-amd64", "vmlinuz", NULL);
    check_refused(below("vmlinuz"), below("mods"), "No such file", NULL);
    put_file("mods/net/readme", "x", 1);
    check_refused(below("vmlinuz"), "/dev/null", "Not a directory", NULL);
    cleanup_free char *mods = xstrdup(below("mods"));
    check_refused(below("vmlinuz"), mods, "no module", "make modules");
    put_file("mods/net/x.ko", "x", 1);
    cleanup_free char *image = xstrdup(below("vmlinuz"));
    struct kernel_image k;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_find(&k, image, mods, &err), 0);
    ck_assert_str_eq(k.modules, mods);
    kernel_image_free(&k);
    /* `make modules_install INSTALL_MOD_PATH=mods` */
    put_file("mods/lib/modules/6.1.0-56-amd64/kernel/net/x.ko.xz", "x", 1);
    ck_assert_int_eq(kernel_find(&k, image, mods, &err), 0);
    ck_assert_str_eq(k.modules, below("mods/lib/modules/6.1.0-56-amd64"));
    kernel_image_free(&k);
}
END_TEST

START_TEST(test_package)
{
    put_image("p/boot/vmlinuz-6.1.0-56-amd64", version);
    check_found(below("p"), "6.1.0-56-amd64", "p/boot/vmlinuz-6.1.0-56-amd64", NULL);
    put_file("p/lib/modules/6.1.0-56-amd64/kernel/net/x.ko", "x", 1);
    check_found(below("p/"), "6.1.0-56-amd64", "p/boot/vmlinuz-6.1.0-56-amd64",
                "p/lib/modules/6.1.0-56-amd64");
    check_found(below("p/boot/vmlinuz-6.1.0-56-amd64"), "6.1.0-56-amd64",
                "p/boot/vmlinuz-6.1.0-56-amd64", "p/lib/modules/6.1.0-56-amd64");
    put_image("p/boot/vmlinuz-6.1.0-57-amd64", version);
    check_refused(below("p"), NULL, "more than one kernel", "name the one");
}
END_TEST

START_TEST(test_tree)
{
    put_file("t/Kconfig", "x", 1);
    check_refused(below("t"), NULL, "no arch/x86/boot/bzImage", "make -C");
    put_image("t/arch/x86/boot/bzImage", "6.18.0-rc1+ (me@here) #7");
    check_found(below("t"), "6.18.0-rc1+", "t/arch/x86/boot/bzImage", NULL);
    put_file("t/drivers/net/veth.ko", "x", 1);
    check_found(below("t"), "6.18.0-rc1+", "t/arch/x86/boot/bzImage", "t");
    check_found(below("t/arch/x86/boot/bzImage"), "6.18.0-rc1+", "t/arch/x86/boot/bzImage", "t");
    check_refused(below(""), NULL, "there is no kernel in", "build tree");
}
END_TEST

START_TEST(test_cached)
{
    check_refused("6.1", NULL, "no kernel 6.1 in the cache", "tcplab kernel get 6.1");
    put_image("tcplab/kernels/6.1.0-9-amd64/image", "6.1.0-9-amd64 (x)");
    put_image("tcplab/kernels/6.1.0-56-amd64/image", version);
    put_image("tcplab/kernels/6.12.9-amd64/image", "6.12.9-amd64 (x)");
    put_file("tcplab/kernels/.new-1/image", "x", 1);
    put_file("tcplab/kernels/6.12.9-amd64/modules/kernel/drivers/net/veth.ko", "x", 1);
    check_found("6.1", "6.1.0-56-amd64", "tcplab/kernels/6.1.0-56-amd64/image", NULL);
    check_found("6.1.0-9", "6.1.0-9-amd64", "tcplab/kernels/6.1.0-9-amd64/image", NULL);
    check_found("6.12", "6.12.9-amd64", "tcplab/kernels/6.12.9-amd64/image",
                "tcplab/kernels/6.12.9-amd64/modules");
    check_refused("6.2", NULL, "no kernel 6.2", NULL);
    check_refused("6.1.0-5", NULL, "no kernel 6.1.0-5", NULL);
    put_image("tcplab/kernels/6.1.0-99-amd64/boot", "x");
    check_refused("6.1", NULL, "there is no kernel in", NULL);
}
END_TEST

static Suite *suite_kernel_image(void)
{
    Suite *s = suite_create("kernel image");
    TCase *tc = tcase_create("header");
    tcase_add_test(tc, test_release);
    tcase_add_test(tc, test_every_length);
    tcase_add_loop_test(tc, test_broken, 0, (int)ARRAY_SIZE(broken));
    suite_add_tcase(s, tc);
    tc = tcase_create("find");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_foreign);
    tcase_add_test(tc, test_truncated_file);
    tcase_add_test(tc, test_alone);
    tcase_add_test(tc, test_package);
    tcase_add_test(tc, test_tree);
    tcase_add_test(tc, test_cached);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_kernel_image)
