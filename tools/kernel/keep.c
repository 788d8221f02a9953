/* Theory of operation.  A kernel package has 300 to 400 MB of modules, nearly all of them
 * drivers of hardware that no lab can have.  What a lab can have are protocols, netfilter,
 * queueing disciplines and the virtual devices: net/ and drivers/net/ without the radios and
 * the hardware.  They ask for checksums and ciphers by algorithm (crc32c for conntrack,
 * hmac(sha256) for IPsec), which no `depends` names, so lib/ and crypto/ are kept whole.
 * What these depend on is kept too, wherever it is: the bridge needs net/802/stp.ko, and
 * macsec drivers/ptp/.  There is no modules.dep in a package that was not installed; what a
 * module depends on stands in the module itself. */
#include "kernel/keep.h"

#include <string.h>

#include "kernel/files.h"
#include "kernel/modules.h"

/* Folders of net/ for radios, other buses and file systems of the network. */
static const char *const foreign[] = {
    "6lowpan",   "802",       "9p",     "appletalk", "atm",    "ax25",       "batman-adv",
    "bluetooth", "can",       "ceph",   "dccp",      "dsa",    "ieee802154", "lapb",
    "mac80211",  "mac802154", "netrom", "nfc",       "phonet", "qrtr",       "rds",
    "rfkill",    "rose",      "rxrpc",  "smc",       "sunrpc", "tipc",       "wireless",
};

/* Folders of drivers/net/ for devices without hardware. */
static const char *const virtual[] = {"bonding", "ipvlan", "netdevsim", "ovpn",
                                      "team",    "vxlan",  "wireguard"};

static bool is_one_of(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return true;
    return false;
}

static const char *after(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 ? path + n : NULL;
}

bool keep_module(const char *path)
{
    const char *rest;
    if ((rest = after(path, "drivers/net/")))
        return !strchr(rest, '/') ||
               is_one_of(rest, strcspn(rest, "/"), virtual, ARRAY_SIZE(virtual));
    if ((rest = after(path, "net/")))
        return !is_one_of(rest, strcspn(rest, "/"), foreign, ARRAY_SIZE(foreign));
    return after(path, "lib/") || after(path, "crypto/") || after(path, "arch/x86/crypto/") ||
           after(path, "arch/x86/lib/");
}

struct module {
    char *name;       /* as in `depends`: '_' for '-' */
    const char *path; /* below the folder */
    bool kept;
};

struct keeping {
    const char *from, *to;
    VEC(struct module) all; /* sorted by name */
    VEC(size_t) todo;       /* kept, and its `depends` not looked at yet */
    struct error *err;
};

static char *module_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *ko = strstr(base, ".ko");
    if (!ko || (ko[3] != '\0' && ko[3] != '.'))
        return NULL;
    char *name = xstrndup(base, (size_t)(ko - base));
    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
    return name;
}

static int by_name(const void *a, const void *b)
{
    const struct module *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int keep(struct keeping *k, struct module *module)
{
    if (module->kept)
        return 0;
    module->kept = true;
    vec_push(&k->todo, (size_t)(module - k->all.at));
    cleanup_free char *from = xasprintf("%s/%s", k->from, module->path);
    cleanup_free char *to = xasprintf("%s/%s", k->to, module->path);
    return files_copy(from, to, k->err);
}

/* A name that is no module here is built in, or its lack is for the loader to tell. */
static int keep_depends(struct keeping *k, char *depends)
{
    char *save = NULL;
    for (char *name = strtok_r(depends, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        for (char *p = name; *p; p++)
            if (*p == '-')
                *p = '_';
        struct module wanted = {.name = name};
        struct module *found = bsearch(&wanted, k->all.at, k->all.n, sizeof(*k->all.at), by_name);
        if (found && keep(k, found) < 0)
            return -1;
    }
    return 0;
}

static int look_at(struct keeping *k, const struct module *module)
{
    cleanup_free char *path = xasprintf("%s/%s", k->from, module->path);
    cleanup_free char *data = NULL;
    struct initramfs packed = {0};
    size_t len = 0;
    int result = initramfs_add_file(&packed, "module", path, k->err);
    if (result == 0) {
        const struct initramfs_entry *file = vec_last(&packed.list);
        result = module_unpack(file->data, file->len, &data, &len, k->err);
    }
    initramfs_free(&packed);
    if (result < 0)
        return error_wrap(k->err, "%s", path);
    cleanup_free char *depends = module_depends(data, len);
    return depends ? keep_depends(k, depends) : 0;
}

static void find_modules(struct keeping *k, const struct file_list *files)
{
    vec_each (&files->list, path) {
        char *name = module_name(*path);
        if (name)
            vec_push(&k->all, ((struct module){.name = name, .path = *path}));
    }
    if (k->all.n)
        qsort(k->all.at, k->all.n, sizeof(*k->all.at), by_name);
}

static int keep_all(struct keeping *k)
{
    vec_each (&k->all, module) {
        const char *below = after(module->path, "kernel/");
        if (keep_module(below ? below : module->path) && keep(k, module) < 0)
            return -1;
    }
    while (k->todo.n > 0) {
        size_t next = *vec_last(&k->todo);
        k->todo.n--;
        if (look_at(k, &k->all.at[next]) < 0)
            return -1;
    }
    return 0;
}

int keep_modules(const char *from, const char *to, struct error *err)
{
    struct keeping k = {.from = from, .to = to, .err = err};
    struct file_list files = {0};
    int result = files_make_folder(to, err);
    if (result == 0)
        result = files_list(&files, from, err);
    if (result == 0) {
        find_modules(&k, &files);
        result = keep_all(&k);
    }
    vec_each (&files.list, path)
        if (result == 0 && strcmp(*path, "modules.builtin") == 0) {
            cleanup_free char *builtin = xasprintf("%s/%s", from, *path);
            cleanup_free char *copy = xasprintf("%s/%s", to, *path);
            result = files_copy(builtin, copy, err);
        }
    vec_each (&k.all, module)
        free(module->name);
    vec_free(&k.all);
    vec_free(&k.todo);
    files_list_free(&files);
    return result;
}
