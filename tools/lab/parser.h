/* What the files of the parser share; nobody else includes this. */
#ifndef LAB_PARSER_H
#define LAB_PARSER_H

#include "lab/lab.h"

/* After so many mistakes the rest of the file is not looked at for more. */
#define PARSER_MAX_DIAGS 100

/* A blank-separated piece of a line. */
struct token {
    char *text; /* decoded and with `vary` values put in; NUL-terminated */
    size_t len;
    struct span span; /* as written, quotes included */
    bool string;      /* one "quoted string" */
    bool plain;       /* without any quote: may be a keyword */
};

struct parser {
    struct lab *lab;
    struct diags *diags;
    const struct lab_value *values;
    size_t n_values;
    enum lab_mapping mapping; /* of addresses */
    char *text; /* the source's text without NUL bytes and bad UTF-8, of the same length */
    /* The script: what of each line stands in a lab block. */
    VEC(struct span) lines;
    size_t n_blocks;
    /* The line at hand. */
    struct span line;
    VEC(struct token) tokens;
    size_t at;         /* the next token */
    const char *usage; /* the form of the statement at hand, for hints */
    bool limit_set, too_many_steps, too_many_hosts;
    bool saw_host, saw_capture, saw_step; /* also where it had a mistake */
};

/* Whether one more diagnostic is wanted. */
bool parser_may_complain(struct parser *p, struct span span);
#define complain(p, span, hint, ...)                                                               \
    (parser_may_complain(p, span) ? diag_add((p)->diags, span, hint, __VA_ARGS__) : (void)0)

/* lesson.c: reads the Markdown; fills lab->title, summary, questions and p->lines. */
void lesson_read(struct parser *p);

/* lex.c: cuts p->line into p->tokens; false after a mistake that it has reported. */
bool lex_line(struct parser *p);
void lex_free(struct parser *p);

/* values.c: one token, or the next token, as a value.  Each reports what is wrong
 * and then returns NULL, -1 or false. */
const struct token *peek(const struct parser *p);
/* The next token, or NULL and "missing WHAT". */
const struct token *need(struct parser *p, const char *what);
bool token_is(const struct token *t, const char *word); /* a plain word; t may be NULL */
bool accept_word(struct parser *p, const char *word);
bool need_word(struct parser *p, const char *word);
/* Reports whatever is left on the line. */
bool need_end(struct parser *p);
/* How a message shows a token. */
const char *shown(const struct parser *p, const struct token *t, char buffer[64]);
bool value_name(struct parser *p, const struct token *t, const char *what);
int value_host(struct parser *p, const struct token *t);
bool value_number(struct parser *p, const struct token *t, const char *what, int64_t low,
                  int64_t high, int64_t *out);
bool value_duration(struct parser *p, const struct token *t, nsec *out);
/* "[S]", "[P.]", "[none]": what stands in the brackets, which the caller frees. */
bool value_flags(struct parser *p, const struct token *t, char **out);
bool value_ipaddr(struct parser *p, struct span span, const char *s, size_t len,
                  struct ipaddr *out);
bool value_network(struct parser *p, struct span span, const char *s, size_t len,
                   struct lab_addr *out);
/* "net.…": dots between parts of letters, digits, `_` and `-`. */
bool value_sysctl_key(struct parser *p, const struct token *t);

/* The statements: p->tokens without the first word. */
void parse_course(struct parser *p); /* course.c */
void parse_host(struct parser *p);   /* hosts.c: host, router */
void parse_route(struct parser *p);  /* stage.c */
void parse_neighbour(struct parser *p);
void parse_capture(struct parser *p);
void parse_trace(struct parser *p);
void parse_mtu(struct parser *p);
/* A filter expression, of the IP version in which the lab is read. */
bool value_filter(struct parser *p, const struct token *t, struct strbuf *out);
void parse_sysctl(struct parser *p); /* settings.c */
void parse_requires(struct parser *p);
void parse_vary(struct parser *p);
void parse_limit(struct parser *p);
void parse_long(struct parser *p);
void parse_call(struct parser *p, int host); /* steps.c */
void parse_stage_step(struct parser *p);

/* wire.c: a `wire` step up to its tail; sets p->usage to the form's. */
bool parse_wire(struct parser *p, struct lab_wire *w);
bool parse_wire_properties(struct parser *p, struct wire_properties *w); /* wire_properties.c */

/* tail.c: whether what follows belongs to the tail of a step, not to its arguments. */
bool at_tail(const struct parser *p);
/* The rest of a step's line, of which the verb and its arguments are known. */
bool parse_tail(struct parser *p, struct lab_step *s);

/* hosts.c: plugs the interfaces into their networks. */
void hosts_connect(struct lab *lab);
/* wire_check.c: finds the network of each `wire` step; what can be checked only when all
 * steps are known. */
void wire_check(struct parser *p);
/* stage.c: what can be checked only when all hosts are known. */
void stage_check(struct parser *p);

void lab_free_step(struct lab_step *s); /* model.c: what it owns */

/* filter.c: whether a pcap expression compiles; reports at span. */
bool filter_check(struct parser *p, struct span span, const char *filter, size_t len);

#endif
