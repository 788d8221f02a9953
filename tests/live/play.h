/* What the tests of `tcplab run` share: a root of labs that an ordinary user may read,
 * the program started and awaited with a limit, and a look at what it left behind. */
#ifndef TESTS_LIVE_PLAY_H
#define TESTS_LIVE_PLAY_H

#include <sys/types.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/time.h"

/* Unchecked fixture: a folder with tcplab and copies of all labs, which every user may
 * read and write. */
void play_set_up(void);
void play_tear_down(void);

/* A folder with all that is in it. */
void play_remove(const char *path);

/* FOLDER/NAME (the caller frees). */
char *play_path(const char *name);
/* Makes a lab FOLDER/NAME.md of the script, "$DIR" in it being the folder, and its
 * transcript; the path of the lab (the caller frees). */
char *play_lab(const char *name, const char *script, const char *expected);

struct play {
    pid_t pid;
    char *printed; /* path of standard output and standard error */
    nsec began;
};

/* Starts `tcplab run ARGUMENTS…` (NULL-terminated); the calling process becomes the
 * reaper of everything that it leaves.  `output`: standard output, -1 for the file. */
struct play play_start(int output, const char *const arguments[]);
/* Waits for the end of main: its exit status, or 128 + N.  The test fails at the limit. */
int play_await(struct play *play, nsec limit);
/* All that it printed (the caller frees). */
char *play_printed(const struct play *play);
/* Start and await; *printed may be NULL. */
int play_run(char **printed, const char *const arguments[]);

/* The processes of a run: launcher, director, agents in the order in which they were
 * started.  Waits until there are so many. */
struct cast {
    pid_t main, launcher, director, agents[64];
    size_t n_agents;
};
void play_find_cast(const struct play *play, struct cast *cast, size_t n_agents);

/* Waits for a file of the folder. */
void play_await_file(const char *name);
void play_make_file(const char *name);
/* Waits until so many wait for a lock of the file (flock) that somebody has. */
void play_await_waiters(const char *path, size_t n);

/* The namespaces that the run's processes are in, other than ours. */
struct traces {
    VEC(char *) namespaces; /* "net:[4026531840]" */
    char *interfaces, *mounts;
};
/* Before the run. */
void play_look(struct traces *t);
/* During the run. */
void play_note_namespaces(struct traces *t, const struct cast *cast);
/* After it: waits until no process of it is left, and fails unless everything is as it
 * was before. */
void play_nothing_left(struct traces *t);

/* The whole file (the caller frees); NULL if there is none. */
char *play_read(const char *path);

#endif
