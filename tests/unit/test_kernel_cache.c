/* The cache of kernels: which package is taken, what is kept of it, and that nothing that
 * is half done has a name.  apt and dpkg-deb are scripts of the test's own here. */

#include <stdio.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "kernel/apt.h"
#include "kernel/cache.h"
#include "kernel/command.h"
#include "kernel/files.h"
#include "kernel/image.h"
#include "kernel/keep.h"
#include "unit.h"

/* --------------------------------------------------------------- which package */

static const char madison[] =
    "linux-image-6.1.0-9-amd64 | 6.1.27-1 | http://deb.debian.org/debian bookworm/main\n"
    "linux-image-6.1.0-56-amd64 |  6.1.192-2 | http://deb.debian.org/debian-security\n"
    "linux-image-6.1.0-56-amd64-unsigned |  6.1.192-2 | http://deb.debian.org/debian\n"
    "linux-image-6.1.0-57-rt-amd64 |  6.1.193-1 | http://deb.debian.org/debian\n"
    "linux-image-6.1.0-57-cloud-amd64 |  6.1.193-1 | http://deb.debian.org/debian\n"
    "linux-image-6.12-amd64 | 6.12.117-1 | http://deb.debian.org/debian\n"
    "linux-image-6.12.117+deb12-amd64-dbg | 6.12.117-1 | http://deb.debian.org/debian\n"
    "linux-image-6.12.117+deb12-amd64-unsigned | 6.12.117-1 | http://deb.debian.org/debian\n"
    "linux-image-6.12.9+deb12-amd64 | 6.12.9-1 | http://deb.debian.org/debian\n"
    "linux-image-6.16.0-1-arm64 | 6.16.1-1 | http://deb.debian.org/debian\n"
    "linux-image-amd64 | 6.1.192-2 | http://deb.debian.org/debian\n"
    "\n| |\nlinux-image-7.0.0-amd64\n";

static const struct {
    const char *version, *name, *release;
} choices[] = {
    {"6.1", "linux-image-6.1.0-56-amd64", "6.1.0-56-amd64"},
    {"6", "linux-image-6.12.117+deb12-amd64-unsigned", "6.12.117+deb12-amd64"},
    {"6.12", "linux-image-6.12.117+deb12-amd64-unsigned", "6.12.117+deb12-amd64"},
    {"6.12.9", "linux-image-6.12.9+deb12-amd64", "6.12.9+deb12-amd64"},
    {"6.1.27", "linux-image-6.1.0-9-amd64", "6.1.0-9-amd64"},
    {"6.1.192-2", "linux-image-6.1.0-56-amd64", "6.1.0-56-amd64"},
    {"6.1.0-57-rt-amd64", "linux-image-6.1.0-57-rt-amd64", "6.1.0-57-rt-amd64"},
    {"6.1.0-57", NULL, NULL},
    {"6.16", NULL, NULL},
    {"7", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST(test_choose)
{
    struct kernel_package p;
    bool found = apt_choose(&p, madison, choices[_i].version);
    ck_assert_int_eq(found, choices[_i].name != NULL);
    if (!found)
        return;
    ck_assert_str_eq(p.name, choices[_i].name);
    ck_assert_str_eq(p.release, choices[_i].release);
    kernel_package_free(&p);
}
END_TEST

static const struct {
    const char *path;
    bool kept;
} modules[] = {
    {"drivers/net/veth.ko", true},
    {"drivers/net/tun.ko.xz", true},
    {"drivers/net/bonding/bonding.ko", true},
    {"drivers/net/ethernet/intel/e1000/e1000.ko", false},
    {"drivers/net/wireless/ath/ath.ko", false},
    {"drivers/gpu/drm/drm.ko", false},
    {"net/bridge/bridge.ko", true},
    {"net/802/stp.ko", false},
    {"net/ipv4/tcp_bbr.ko.zst", true},
    {"net/bluetooth/bluetooth.ko", false},
    {"net/wireless/cfg80211.ko", false},
    {"net/802x/x.ko", true},
    {"lib/libcrc32c.ko", true},
    {"crypto/crc32c_generic.ko", true},
    {"arch/x86/crypto/crc32c-intel.ko", true},
    {"arch/x86/kvm/kvm.ko", false},
    {"fs/ext4/ext4.ko", false},
    {"library/x.ko", false},
};

START_TEST(test_keep)
{
    ck_assert_int_eq(keep_module(modules[_i].path), modules[_i].kept);
}
END_TEST

/* ------------------------------------------------------------------ the cache */

static char *old_path;
static char *top; /* a folder of each test's own: bin/, cache/, and what a test makes */

static char *below(const char *name)
{
    return xasprintf("%s/%s", top, name);
}

static void put(const char *name, const void *bytes, size_t n)
{
    cleanup_free char *path = below(name);
    cleanup_free char *parent = xstrdup(path);
    struct error err = ERROR_INIT;
    *strrchr(parent, '/') = '\0';
    ck_assert_int_eq(files_make_folder(parent, &err), 0);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void put_image(const char *name, const char *release)
{
    uint8_t image[6 * 512] = {0};
    image[0x1f1] = 3;
    image[0x1f4] = 64;
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    memcpy(image + 0x202, "HdrS\x0f\x02", 6);
    image[0x20f] = 0x02;
    image[0x211] = 1;
    image[0x236] = 1;
    snprintf((char *)image + 0x400, 128, "%s (x)", release);
    put(name, image, sizeof(image));
}

static void put_program(const char *name, const char *script)
{
    cleanup_free char *path = xasprintf("bin/%s", name);
    cleanup_free char *whole = below(path);
    cleanup_free char *text = xasprintf("#!/bin/sh\n%s\n", script);
    put_text(path, text);
    ck_assert_int_eq(chmod(whole, 0700), 0);
}

static void setup(void)
{
    char name[] = "/tmp/tcplab-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    top = xstrdup(name);
    cleanup_free char *cache = below("cache");
    old_path = xstrdup(getenv("PATH"));
    cleanup_free char *path = xasprintf("%s/bin:%s", top, old_path);
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("PATH", path, 1);
}

static void teardown(void)
{
    setenv("PATH", old_path, 1);
    files_remove(top);
    free(old_path);
    free(top);
}

/* The folders in the cache, hidden ones too, separated by blanks. */
static char *names_in_cache(void)
{
    struct strbuf names = STRBUF_INIT;
    cleanup_free char *root = below("cache/tcplab/kernels");
    struct file_list files = {0};
    struct error err = ERROR_INIT;
    if (files_list(&files, root, &err) < 0)
        error_clear(&err);
    vec_each (&files.list, path) {
        (*path)[strcspn(*path, "/")] = '\0';
        if (!names.len || !strstr(names.data, *path))
            strbuf_printf(&names, "%s%s", names.len ? " " : "", *path);
    }
    files_list_free(&files);
    return strbuf_steal(&names);
}

static void check_cache(const char *wanted)
{
    cleanup_free char *names = names_in_cache();
    ck_assert_str_eq(names, wanted);
}

static void add(const char *what, const char *wanted_release)
{
    cleanup_free char *path = below(what);
    cleanup_free char *release = NULL;
    struct error err = ERROR_INIT;
    int result = kernel_cache_add(path, NULL, NULL, &release, &err);
    ck_assert_msg(result == 0, "%s", err.message);
    ck_assert_str_eq(release, wanted_release);
}

static void check_not_added(const char *what, const char *message)
{
    cleanup_free char *path = below(what);
    cleanup_free char *release = NULL;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_cache_add(path, NULL, NULL, &release, &err), -1);
    ck_assert_ptr_null(release);
    ck_assert_msg(strstr(err.message, message), "\"%s\" lacks \"%s\"", err.message, message);
    error_clear(&err);
}

static struct cache_info inspect(const char *release)
{
    struct cached_kernels all = {0};
    struct cache_info info;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_cache_list(&all, &err), 0);
    const struct cached_kernel *found = kernel_cache_match(&all, release);
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(kernel_cache_inspect(&info, found, &err), 0);
    kernel_cache_free(&all);
    return info;
}

static void make_package_folder(const char *folder, const char *release)
{
    static const char *const files[] = {"kernel/drivers/net/veth.ko", "kernel/fs/ext4/ext4.ko",
                                        "kernel/net/bridge/bridge.ko", "modules.builtin"};
    cleanup_free char *image = xasprintf("%s/boot/vmlinuz-%s", folder, release);
    put_image(image, release);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        cleanup_free char *name = xasprintf("%s/lib/modules/%s/%s", folder, release, files[i]);
        put_text(name, "\177ELF\2");
    }
    /* The bridge needs one that would not be kept for itself, and that one another. */
    static const char bridge[] = "\177ELF\0name=bridge\0depends=a-b,veth,built_in\0";
    static const char ab[] = "\177ELF\0depends=ext4\0";
    cleanup_free char *name =
        xasprintf("%s/lib/modules/%s/kernel/net/bridge/bridge.ko", folder, release);
    put(name, bridge, sizeof(bridge));
    cleanup_free char *other =
        xasprintf("%s/lib/modules/%s/kernel/net/802/a_b.ko", folder, release);
    put(other, ab, sizeof(ab));
    cleanup_free char *third = xasprintf("%s/lib/modules/%s/kernel/fs/x/x.ko", folder, release);
    put_text(third, "\177ELF\2");
}

START_TEST(test_add_folder)
{
    make_package_folder("p", "6.1.0-1-amd64");
    add("p", "6.1.0-1-amd64");
    check_cache("6.1.0-1-amd64");
    struct cache_info info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_VERIFIED);
    ck_assert_uint_eq(info.modules, 4); /* veth, bridge, a_b, ext4 */
    ck_assert_str_eq(strrchr(info.source, '/'), "/p");
    cache_info_free(&info);

    struct kernel_image k;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(kernel_find(&k, "6.1", NULL, &err), 0);
    ck_assert_str_eq(k.release, "6.1.0-1-amd64");
    cleanup_free char *veth = xasprintf("%s/kernel/drivers/net/veth.ko", k.modules);
    cleanup_free char *builtin = xasprintf("%s/modules.builtin", k.modules);
    ck_assert_int_eq(access(veth, R_OK), 0);
    ck_assert_int_eq(access(builtin, R_OK), 0);
    kernel_image_free(&k);
}
END_TEST

START_TEST(test_damage)
{
    static const char veth[] =
        "cache/tcplab/kernels/6.1.0-1-amd64/modules/kernel/drivers/net/veth.ko";
    make_package_folder("p", "6.1.0-1-amd64");
    add("p", "6.1.0-1-amd64");
    put_text(veth, "other");
    struct cache_info info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_DAMAGED);
    ck_assert_ptr_nonnull(strstr(info.trouble, "veth.ko"));
    cache_info_free(&info);

    cleanup_free char *file = below(veth);
    ck_assert_int_eq(unlink(file), 0);
    info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_DAMAGED);
    cache_info_free(&info);

    add("p", "6.1.0-1-amd64"); /* takes its place */
    check_cache("6.1.0-1-amd64");
    info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_VERIFIED);
    cache_info_free(&info);

    cleanup_free char *sums = below("cache/tcplab/kernels/6.1.0-1-amd64/SHA256SUMS");
    ck_assert_int_eq(unlink(sums), 0);
    info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_UNKNOWN);
    cache_info_free(&info);
}
END_TEST

START_TEST(test_add_leaves_nothing)
{
    put_text("cache/tcplab/kernels/.new-killed/kernel/image", "half");
    put_text("notes.txt", "hello\n");
    check_not_added("notes.txt", "a text file");
    check_cache("");
    check_not_added("nothing", "No such file");
    put_image("image", "6.1.0-2-amd64");
    put_program("sha256sum", "echo no >&2; exit 1");
    check_not_added("image", "sha256sum: no");
    check_cache("");
}
END_TEST

/* A package file whose dpkg-deb unpacks what the test made. */
START_TEST(test_add_package)
{
    make_package_folder("p", "6.1.0-3-amd64");
    put_text("k.deb", "!<arch>\n");
    put_program("dpkg-deb", "case $1 in --show) printf 'linux-image-x 1-1' ;;\n"
                            "--extract) cp -r \"$(dirname \"$2\")/p\" \"$3\" ;; esac");
    add("k.deb", "6.1.0-3-amd64");
    struct cache_info info = inspect("6.1");
    ck_assert_str_eq(info.source, "Debian package linux-image-x 1-1");
    cache_info_free(&info);
    put_program("dpkg-deb", "echo 'dpkg-deb: error: not a Debian archive' >&2; exit 2");
    check_not_added("k.deb", "not a Debian archive");
}
END_TEST

static void put_apt(const char *download)
{
    put_program("apt-cache",
                "case $1 in\n"
                "pkgnames) printf 'linux-image-6.1.0-4-amd64\\nlinux-image-amd64\\n' ;;\n"
                "madison) [ \"$2\" = linux-image-6.1.0-4-amd64 ] && [ $# = 2 ] &&\n"
                "    echo 'linux-image-6.1.0-4-amd64 | 6.1.4-1 | somewhere' ;;\n"
                "show) printf 'Size: 4\\nSHA256: %064d\\n' 7 ;;\n"
                "esac");
    put_program("apt-get", download);
}

static int get(const char *version, char **release, struct error *err)
{
    *release = NULL;
    return kernel_cache_get(version, NULL, release, err);
}

START_TEST(test_get)
{
    cleanup_free char *release = NULL;
    struct error err = ERROR_INIT;
    make_package_folder("p", "6.1.0-4-amd64");
    put_apt("[ \"$*\" = '-qq download linux-image-6.1.0-4-amd64=6.1.4-1' ] && echo x >k.deb");
    cleanup_free char *unpack = xasprintf("cp -r %s/p \"$3\"", top);
    put_program("dpkg-deb", unpack);
    ck_assert_msg(get("6.1", &release, &err) == 0, "%s", err.message);
    ck_assert_str_eq(release, "6.1.0-4-amd64");
    struct cache_info info = inspect("6.1");
    ck_assert_int_eq(info.state, CACHE_VERIFIED);
    ck_assert_str_eq(info.source, "Debian package linux-image-6.1.0-4-amd64 6.1.4-1");
    cache_info_free(&info);
}
END_TEST

START_TEST(test_get_fails)
{
    cleanup_free char *release = NULL;
    struct error err = ERROR_INIT;
    put_apt("echo half >k.deb; echo 'W: hm' >&2; echo 'E: Failed to fetch it' >&2\n"
            "echo 'E: more' >&2; exit 100");
    ck_assert_int_eq(get("6.1", &release, &err), -1);
    ck_assert_str_eq(err.message, "apt-get: Failed to fetch it");
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    ck_assert_ptr_nonnull(strstr(err.hint, "kernel add"));
    check_cache("");
    error_clear(&err);
    ck_assert_int_eq(get("6.2", &release, &err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "linux-image-6.2"));
    error_clear(&err);
    /* the download is whole, and no package */
    put_apt("echo x >k.deb");
    put_program("dpkg-deb", "echo 'dpkg-deb: error: unexpected end of file' >&2; exit 2");
    ck_assert_int_eq(get("6.1", &release, &err), -1);
    ck_assert_str_eq(err.message, "dpkg-deb: unexpected end of file");
    check_cache("");
    error_clear(&err);
}
END_TEST

START_TEST(test_no_apt)
{
    cleanup_free char *release = NULL;
    struct error err = ERROR_INIT;
    setenv("PATH", top, 1);
    ck_assert_int_eq(get("6.1", &release, &err), -1);
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    ck_assert_str_eq(err.message, "cannot run apt-cache: No such file or directory");
    ck_assert_ptr_nonnull(strstr(err.hint, "kernel add PATH"));
    error_clear(&err);
}
END_TEST

/* --------------------------------------------------------------------- commands */

START_TEST(test_command)
{
    struct strbuf out = STRBUF_INIT;
    struct error err = ERROR_INIT;
    const char *const argv[] = {"sh", "-c", "pwd; cat; echo $LC_ALL; head -c 300000 /dev/zero",
                                NULL};
    struct command command = {.argv = argv, .folder = "/", .out = &out};
    ck_assert_int_eq(command_run(&command, &err), 0);
    ck_assert_uint_eq(out.len, strlen("/\nC.UTF-8\n") + 300000);
    ck_assert_int_eq(strncmp(out.data, "/\nC.UTF-8\n", 10), 0);
    strbuf_free(&out);
    const char *const fails[] = {"sh", "-c", "exit 7", NULL};
    command = (struct command){.argv = fails};
    ck_assert_int_eq(command_run(&command, &err), -1);
    ck_assert_str_eq(err.message, "sh failed with status 7");
    error_clear(&err);
    const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
    command = (struct command){.argv = killed};
    ck_assert_int_eq(command_run(&command, &err), -1);
    ck_assert_str_eq(err.message, "sh was ended by signal 9");
    error_clear(&err);
}
END_TEST

/* Ctrl-C ends what runs, and we are told. */
START_TEST(test_interrupted)
{
    struct error err = ERROR_INIT;
    const char *const argv[] = {"sh", "-c", "kill -INT $PPID; exec tail -f /dev/null", NULL};
    struct command command = {.argv = argv};
    ck_assert_int_eq(command_run(&command, &err), -1);
    ck_assert_str_eq(err.message, "interrupted while sh was running");
    error_clear(&err);
}
END_TEST

static Suite *suite_kernel_cache(void)
{
    Suite *s = suite_create("kernel cache");
    TCase *tc = tcase_create("choice");
    tcase_add_loop_test(tc, test_choose, 0, (int)ARRAY_SIZE(choices));
    tcase_add_loop_test(tc, test_keep, 0, (int)ARRAY_SIZE(modules));
    suite_add_tcase(s, tc);
    tc = tcase_create("cache");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, test_add_folder);
    tcase_add_test(tc, test_damage);
    tcase_add_test(tc, test_add_leaves_nothing);
    tcase_add_test(tc, test_add_package);
    tcase_add_test(tc, test_get);
    tcase_add_test(tc, test_get_fails);
    tcase_add_test(tc, test_no_apt);
    suite_add_tcase(s, tc);
    tc = tcase_create("command");
    tcase_add_test(tc, test_command);
    tcase_add_test(tc, test_interrupted);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_kernel_cache)
