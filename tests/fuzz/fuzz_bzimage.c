/* Heads of kernel images: any bytes, any claimed size of the file. */
#include "base/memory.h"
#include "kernel/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    char *release = bzimage_release(data, size, size, "fuzz", &err);
    if (!release && !error_is_set(&err))
        __builtin_trap();
    if (release && (!*release || strchr(release, '/') || *release == '.'))
        __builtin_trap();
    free(release);
    error_clear(&err);
    return 0;
}
