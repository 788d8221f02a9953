#include "base/program.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* What execvp() searches where PATH is not set (confstr(_CS_PATH)). */
#define DEFAULT_PATH "/bin:/usr/bin"

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *program_find(const char *name, const char *more)
{
    const char *path = getenv("PATH");
    cleanup_free char *folders = xasprintf("%s:%s", path ? path : DEFAULT_PATH, more ? more : "");
    char *rest = folders;
    for (char *folder; (folder = strsep(&rest, ":"));) {
        cleanup_free char *file = xasprintf("%s/%s", folder, name);
        if (*folder && is_program(file))
            return steal_pointer(&file);
    }
    return NULL;
}
