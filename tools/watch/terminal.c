/* Theory of operation.
 *
 * Signals are blocked but while ppoll() waits for a key, so none can come between the look
 * for one and the wait.  SIGWINCH is left to ncurses, which then has KEY_RESIZE to tell.
 * SIGINT, SIGTERM and SIGHUP set a flag, and the loop ends as `q` ends it.
 *
 * What ncurses does to the terminal it takes back in endwin(), which is not for signal
 * handlers.  So a handler for what a crash brings writes the terminal's own strings, looked
 * up in good time, and its former settings (write() and tcsetattr() are allowed there), and
 * lets the signal have its way. */
#include "watch/terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wctype.h>

/* -------------------------------------------------------------------- signals */

static volatile sig_atomic_t asked_to_end;

static void on_end(int signo)
{
    asked_to_end = signo;
}

/* What takes back what ncurses does, and the settings before. */
static struct {
    char restore[256];
    size_t n;
    struct termios settings;
    bool has_settings;
} before;

static void on_crash(int signo)
{
    if (write(STDOUT_FILENO, before.restore, before.n) < 0) {
        /* There is nobody to tell. */
    }
    if (before.has_settings)
        tcsetattr(STDIN_FILENO, TCSANOW, &before.settings);
    signal(signo, SIG_DFL);
    raise(signo);
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};

struct handlers {
    struct sigaction ends[ARRAY_SIZE(ends)], crashes[ARRAY_SIZE(crashes)];
    sigset_t mask;
};

static void add_string(const char *name)
{
    char id[16];
    snprintf(id, sizeof(id), "%s", name);
    const char *s = tigetstr(id);
    size_t n = s && s != (char *)-1 ? strlen(s) : 0;
    if (before.n + n > sizeof(before.restore))
        return;
    memcpy(before.restore + before.n, s ? s : "", n);
    before.n += n;
}

static void take_signals(struct handlers *old)
{
    static const char *const strings[] = {"sgr0", "op", "rmkx", "cnorm", "rmcup"};
    sigset_t blocked;
    before.n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        add_string(strings[i]);
    before.has_settings = tcgetattr(STDIN_FILENO, &before.settings) == 0;
    asked_to_end = 0;
    struct sigaction end = {.sa_handler = on_end}, crash = {.sa_handler = on_crash};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        sigaction(ends[i], &end, &old->ends[i]);
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        sigaction(crashes[i], &crash, &old->crashes[i]);
    sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        sigaddset(&blocked, ends[i]);
    sigaddset(&blocked, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &blocked, &old->mask);
}

static void give_signals_back(const struct handlers *old)
{
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        sigaction(ends[i], &old->ends[i], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        sigaction(crashes[i], &old->crashes[i], NULL);
    pthread_sigmask(SIG_SETMASK, &old->mask, NULL);
}

/* ----------------------------------------------------------------------- keys */

static int key_of(wint_t c, bool special)
{
    if (!special)
        return c == '\r' ? WATCH_ENTER : c == '\b' ? WATCH_BACKSPACE : (int)c;
    switch (c) {
    case KEY_UP:
        return WATCH_UP;
    case KEY_DOWN:
        return WATCH_DOWN;
    case KEY_LEFT:
        return WATCH_LEFT;
    case KEY_RIGHT:
        return WATCH_RIGHT;
    case KEY_PPAGE:
        return WATCH_PAGE_UP;
    case KEY_NPAGE:
        return WATCH_PAGE_DOWN;
    case KEY_HOME:
        return WATCH_HOME;
    case KEY_END:
        return WATCH_END;
    case KEY_BTAB:
        return WATCH_BACKTAB;
    case KEY_ENTER:
        return WATCH_ENTER;
    case KEY_BACKSPACE:
    case KEY_DC:
        return WATCH_BACKSPACE;
    default:
        return 0;
    }
}

enum happened { TERMINAL_KEY, TERMINAL_GONE, TERMINAL_END };

/* Waits for something to happen.  Of a terminal that is gone there may still be keys to
 * read, and its SIGHUP waits: ppoll() lets none in where it has something to say at once. */
static enum happened wait_for_key(const sigset_t *mask)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int n = ppoll(&in, 1, NULL, mask);
    if (asked_to_end || (n < 0 && errno != EINTR))
        return TERMINAL_END;
    return n > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL) ? TERMINAL_GONE : TERMINAL_KEY;
}

/* All keys that are there; false: none. */
static bool press_keys(struct watch *watch)
{
    wint_t c;
    bool any = false;
    for (int got; !watch_is_over(watch) && (got = get_wch(&c)) != ERR; any = true) {
        int key = key_of(c, got == KEY_CODE_YES);
        if (key)
            watch_press(watch, key);
    }
    return any;
}

/* --------------------------------------------------------------------- screen */

static const short colors[] = {
    [STYLE_CALL] = COLOR_YELLOW, [STYLE_RIGHTWARD] = COLOR_CYAN, [STYLE_LEFTWARD] = COLOR_MAGENTA,
    [STYLE_GOOD] = COLOR_GREEN,  [STYLE_BAD] = COLOR_RED,        [STYLE_WARN] = COLOR_YELLOW};

static attr_t attributes_of(enum style style, bool color)
{
    static const attr_t plain[] = {[STYLE_TITLE] = A_BOLD,
                                   [STYLE_DIM] = A_DIM,
                                   [STYLE_GOOD] = A_BOLD,
                                   [STYLE_BAD] = A_BOLD,
                                   [STYLE_WARN] = A_BOLD};
    attr_t a = (size_t)style < ARRAY_SIZE(plain) ? plain[style] : A_NORMAL;
    if (color && (size_t)style < ARRAY_SIZE(colors) && colors[style])
        a |= (attr_t)COLOR_PAIR(style + 1);
    return a;
}

static void show(const struct screen *screen, bool color)
{
    erase();
    for (int y = 0; y < screen->height; y++) {
        for (int x = 0; x < screen->width; x++) {
            const struct cell *cell = &screen->rows[y].cells[x];
            attr_t a = attributes_of(cell->style, color);
            if (screen->marks[y * screen->width + x])
                a = (a & ~(attr_t)A_DIM) | A_REVERSE;
            if (!cell->text[0])
                continue;
            attrset((int)a);
            mvaddstr(y, x, cell->text);
        }
    }
    bool cursor = screen->cursor_x >= 0 && screen->cursor_y >= 0;
    curs_set(cursor);
    if (cursor)
        move(screen->cursor_y, screen->cursor_x);
    refresh();
}

static void draw(struct watch *watch, bool color, bool utf8)
{
    struct screen screen;
    screen_init(&screen, COLS, LINES, utf8);
    watch_draw(watch, &screen);
    show(&screen, color);
    screen_free(&screen);
}

static bool begin_colors(bool color)
{
    if (!color || !has_colors() || start_color() == ERR || use_default_colors() == ERR)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
        if (colors[i])
            init_pair((short)(i + 1), colors[i], -1);
    return true;
}

static void begin_terminal(void)
{
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50); /* ms for the rest of a key that begins with Escape */
}

/* ----------------------------------------------------------------------- whole */

static const char *name_of_terminal(void)
{
    const char *name = getenv("TERM");
    return name && *name ? name : "unknown";
}

int terminal_check(struct error *err)
{
    int found;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        error_set(err, STATUS_USAGE, "this needs a terminal for its keys and its screen");
        return error_hint(err, "`tcplab run`, `check` and `decode` print what it shows");
    }
    char cup[] = "cup";
    bool good = setupterm(NULL, STDOUT_FILENO, &found) == OK && tigetstr(cup) &&
                tigetstr(cup) != (char *)-1;
    if (good)
        return 0;
    error_set(err, STATUS_USAGE, "a terminal of the type \"%s\" cannot show a full screen",
              name_of_terminal());
    return error_hint(err, "set TERM to what your terminal is, such as xterm or vt100; or `tcplab "
                           "run`, `check` and `decode` print what this shows");
}

int terminal_run(struct watch *watch, bool color, bool utf8, struct error *err)
{
    struct handlers old;
    take_signals(&old);
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal) {
        give_signals_back(&old);
        return error_set(err, STATUS_USAGE, "a terminal of the type \"%s\" cannot be used",
                         name_of_terminal());
    }
    begin_terminal();
    color = begin_colors(color);
    while (!watch_is_over(watch)) {
        draw(watch, color, utf8);
        enum happened what = wait_for_key(&old.mask);
        if (what == TERMINAL_END || (!press_keys(watch) && what == TERMINAL_GONE))
            break;
    }
    endwin();
    delscreen(terminal);
    give_signals_back(&old);
    return 0;
}
