/* Theory of operation.  A kernel package has 300 to 400 MB of modules, nearly all of them
 * drivers of hardware that no lab can have.  What a lab can have are protocols, netfilter,
 * queueing disciplines and the virtual devices: net/ and drivers/net/ without the radios and
 * the hardware.  They ask for checksums and ciphers by algorithm (crc32c for conntrack,
 * hmac(sha256) for IPsec), which no `depends` names, so lib/ and crypto/ are kept whole. */
#include "kernel/keep.h"

#include <string.h>

#include "kernel/files.h"

/* Folders of net/ for radios, other buses and file systems of the network. */
static const char *const foreign[] = {
    "6lowpan",   "9p",     "appletalk", "atm",    "ax25",       "batman-adv", "bluetooth",
    "can",       "ceph",   "dccp",      "dsa",    "ieee802154", "lapb",       "mac80211",
    "mac802154", "netrom", "nfc",       "phonet", "qrtr",       "rds",        "rfkill",
    "rose",      "rxrpc",  "smc",       "sunrpc", "tipc",       "wireless",
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

static bool is_module(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *ko = strstr(slash ? slash + 1 : path, ".ko");
    return ko && (ko[3] == '\0' || ko[3] == '.');
}

static bool keep(const char *path)
{
    const char *below = after(path, "kernel/");
    return strcmp(path, "modules.builtin") == 0 ||
           (is_module(path) && keep_module(below ? below : path));
}

int keep_modules(const char *from, const char *to, struct error *err)
{
    struct file_list files = {0};
    int result = files_make_folder(to, err);
    if (result == 0)
        result = files_list(&files, from, err);
    vec_each (&files.list, path) {
        if (result < 0 || !keep(*path))
            continue;
        cleanup_free char *old = xasprintf("%s/%s", from, *path);
        cleanup_free char *new = xasprintf("%s/%s", to, *path);
        result = files_copy(old, new, err);
    }
    files_list_free(&files);
    return result;
}
