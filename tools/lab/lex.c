/* One line of script into tokens.
 *
 * Words are separated by blanks; `#` at the start of a word begins a comment.  A
 * string is a word of its own, in double quotes, with escapes.  On a `run` line
 * words follow the shell's habit instead: quotes of both kinds may stand anywhere
 * in a word, and a backslash takes the next character as it is.  `$name` is the
 * value of a `vary` name, but not in single quotes. */
#include <ctype.h>
#include <inttypes.h>

#include "lab/parser.h"

struct lexer {
    struct parser *p;
    const char *s;  /* the whole file, cleaned */
    size_t at, end; /* end of the line */
    bool good;
    struct strbuf word;
    struct token token;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void bad(struct lexer *x, size_t from, size_t to, const char *hint, const char *message)
{
    x->good = false;
    complain(x->p, ((struct span){from, to}), hint, "%s", message);
}

/* `$name` at x->at: puts the value into the word.  A `$` before anything but a
 * letter is only a `$`. */
static void take_variable(struct lexer *x)
{
    size_t from = x->at++, n = x->at;
    while (n < x->end && (islower((unsigned char)x->s[n]) || x->s[n] == '_' ||
                          (n > x->at && isdigit((unsigned char)x->s[n]))))
        n++;
    if (n == x->at) {
        strbuf_putc(&x->word, '$');
        return;
    }
    const char *name = x->s + x->at;
    size_t len = n - x->at;
    x->at = n;
    vec_each (&x->p->lab->varies, v) {
        if (strlen(v->name) == len && memcmp(v->name, name, len) == 0) {
            strbuf_printf(&x->word, "%" PRId64, v->value);
            return;
        }
    }
    bad(x, from, n, "declare it above: `vary NAME LOW..HIGH`; a plain dollar in a string is \\$",
        "there is no such `vary` name");
}

/* An escape at x->at, the backslash, inside double quotes. */
static void take_escape(struct lexer *x)
{
    static const char names[] = "ntr\\\"$", values[] = "\n\t\r\\\"$";
    size_t from = x->at++;
    char c = x->at < x->end ? x->s[x->at] : '\0';
    const char *known = c ? strchr(names, c) : NULL;
    if (known) {
        strbuf_putc(&x->word, values[known - names]);
        x->at++;
        return;
    }
    if (c == 'x' && x->at + 2 < x->end) {
        int high = hex_digit(x->s[x->at + 1]), low = hex_digit(x->s[x->at + 2]);
        if (high >= 0 && low >= 0) {
            strbuf_putc(&x->word, (char)(high * 16 + low));
            x->at += 3;
            return;
        }
    }
    size_t to = x->at < x->end ? x->at + 1 : x->at;
    while (to < x->end && ((unsigned char)x->s[to] & 0xc0) == 0x80)
        to++;
    bad(x, from, to, "the escapes are \\n \\t \\r \\\\ \\\" \\$ and \\xHH", "unknown escape");
    x->at = to;
}

/* A quoted part, x->at at its opening quote; false if it is never closed. */
static bool take_quoted(struct lexer *x)
{
    size_t from = x->at;
    char quote = x->s[x->at++];
    while (x->at < x->end && x->s[x->at] != quote) {
        if (quote == '"' && x->s[x->at] == '\\')
            take_escape(x);
        else if (quote == '"' && x->s[x->at] == '$')
            take_variable(x);
        else
            strbuf_putc(&x->word, x->s[x->at++]);
    }
    if (x->at == x->end) {
        bad(x, from, x->end, "a string ends on its own line, with the quote it began with",
            "unclosed quote");
        return false;
    }
    x->at++;
    return true;
}

/* A word or a string. */
static void take_word(struct lexer *x)
{
    static const char hint[] = "put a blank between a word and a string";
    if (x->s[x->at] == '"') {
        x->token.string = true;
        if (take_quoted(x) && x->at < x->end && !is_blank(x->s[x->at]))
            bad(x, x->at, x->at + 1, hint, "a string is a word of its own");
        return;
    }
    x->token.plain = true;
    while (x->at < x->end && !is_blank(x->s[x->at])) {
        if (x->s[x->at] == '"') {
            bad(x, x->at, x->at + 1, hint, "a string is a word of its own");
            return;
        }
        if (x->s[x->at] == '$')
            take_variable(x);
        else
            strbuf_putc(&x->word, x->s[x->at++]);
    }
}

/* A word of a command. */
static void take_shell_word(struct lexer *x)
{
    x->token.plain = true;
    while (x->at < x->end && !is_blank(x->s[x->at])) {
        char c = x->s[x->at];
        if (strchr("\"'\\", c))
            x->token.plain = false;
        if (c == '"' || c == '\'') {
            if (!take_quoted(x))
                return;
        } else if (c == '$') {
            take_variable(x);
        } else {
            if (c == '\\' && x->at + 1 < x->end)
                x->at++;
            strbuf_putc(&x->word, x->s[x->at++]);
        }
    }
}

/* Control characters, C1 ones too, have no place in a line; a string can spell them. */
static void check_controls(struct lexer *x)
{
    for (size_t i = x->at; i < x->end; i++) {
        unsigned char c = (unsigned char)x->s[i];
        bool c1 = c == 0xc2 && i + 1 < x->end && (unsigned char)x->s[i + 1] < 0xa0;
        if ((c < 0x20 && c != '\t') || c == 0x7f || c1) {
            bad(x, i, i + 1 + c1, "inside a string write it as \\xHH", "a control character");
            return;
        }
    }
}

void lex_free(struct parser *p)
{
    vec_each (&p->tokens, t)
        free(t->text);
    p->tokens.n = 0;
    p->at = 0;
}

bool lex_line(struct parser *p)
{
    struct lexer x = {.p = p, .s = p->text, .at = p->line.from, .end = p->line.to, .good = true};
    bool shell = false; /* a `run` line */
    lex_free(p);
    check_controls(&x);
    while (x.good) {
        while (x.at < x.end && is_blank(x.s[x.at]))
            x.at++;
        if (x.at == x.end || x.s[x.at] == '#')
            break;
        x.token = (struct token){.span = {x.at, x.at}};
        if (shell)
            take_shell_word(&x);
        else
            take_word(&x);
        x.token.span.to = x.at;
        x.token.len = x.word.len;
        x.token.text = strbuf_steal(&x.word);
        vec_push(&p->tokens, x.token);
        if (p->tokens.n == 1)
            shell = token_is(&p->tokens.at[0], "run");
    }
    strbuf_free(&x.word);
    return x.good;
}
