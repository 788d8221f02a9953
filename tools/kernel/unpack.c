#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/strbuf.h"
#include "kernel/modules.h"

#define MAX_UNPACKED (256u << 20)

static int damaged(struct error *err, const char *kind)
{
    return error_set(err, STATUS_MACHINE, "it is no sound %s file", kind);
}

static int unpack_xz(const char *data, size_t len, struct strbuf *out, struct error *err)
{
    lzma_stream s = LZMA_STREAM_INIT;
    uint8_t chunk[65536];
    lzma_ret ret = lzma_stream_decoder(&s, MAX_UNPACKED, 0);
    s.next_in = (const uint8_t *)data;
    s.avail_in = len;
    while (ret == LZMA_OK && out->len <= MAX_UNPACKED) {
        s.next_out = chunk;
        s.avail_out = sizeof(chunk);
        ret = lzma_code(&s, LZMA_FINISH);
        strbuf_add(out, (const char *)chunk, sizeof(chunk) - s.avail_out);
    }
    lzma_end(&s);
    return ret == LZMA_STREAM_END ? 0 : damaged(err, "xz");
}

static int unpack_zstd(const char *data, size_t len, struct strbuf *out, struct error *err)
{
    ZSTD_DStream *s = ZSTD_createDStream();
    char chunk[65536];
    ZSTD_inBuffer in = {.src = data, .size = len};
    size_t ret = 1;
    while (s && ret != 0 && !ZSTD_isError(ret) && out->len <= MAX_UNPACKED) {
        ZSTD_outBuffer o = {.dst = chunk, .size = sizeof(chunk)};
        ret = ZSTD_decompressStream(s, &o, &in);
        strbuf_add(out, chunk, o.pos);
        if (in.pos == in.size && o.pos < o.size)
            break;
    }
    ZSTD_freeDStream(s);
    return ret == 0 ? 0 : damaged(err, "zstd");
}

static int unpack_gzip(const char *data, size_t len, struct strbuf *out, struct error *err)
{
    z_stream s = {0};
    char chunk[65536];
    cleanup_free Bytef *in = xmemdup(data, len);
    int ret = inflateInit2(&s, 16 + MAX_WBITS);
    s.next_in = in;
    s.avail_in = (uInt)len;
    while (ret == Z_OK && out->len <= MAX_UNPACKED) {
        s.next_out = (Bytef *)chunk;
        s.avail_out = sizeof(chunk);
        ret = inflate(&s, Z_NO_FLUSH);
        strbuf_add(out, chunk, sizeof(chunk) - s.avail_out);
    }
    inflateEnd(&s);
    return ret == Z_STREAM_END ? 0 : damaged(err, "gzip");
}

static int keep(const char *data, size_t len, struct strbuf *out, struct error *err)
{
    strbuf_add(out, data, len);
    return len > 4 && memcmp(data, "\177ELF", 4) == 0
               ? 0
               : error_set(err, STATUS_MACHINE, "it is no kernel module");
}

static const struct packing {
    const char *magic;
    size_t len;
    int (*unpack)(const char *data, size_t len, struct strbuf *out, struct error *err);
} packings[] = {
    {"\3757zXZ", 6, unpack_xz},
    {"\x28\xb5\x2f\xfd", 4, unpack_zstd},
    {"\x1f\x8b", 2, unpack_gzip},
    {"", 0, keep},
};

int module_unpack(const char *data, size_t len, char **out, size_t *out_len, struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    const struct packing *p = packings;
    while (len < p->len || memcmp(data, p->magic, p->len) != 0)
        p++;
    if (p->unpack(data, len, &text, err) < 0)
        return -1;
    *out_len = text.len;
    *out = strbuf_steal(&text);
    return 0;
}
