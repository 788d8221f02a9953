#include "unit.h"

#include <stdio.h>

#include "transcript/pattern.h"

static const char lab_text[] = "# A lab\n\nProse.\n\n```lab\n"
                               "host client 10.0.0.1/24\n"
                               "host server 10.0.0.2/24,fd00::2/64\n"
                               "capture client server \"tcp\"\n"
                               "vary port 1024..65535\n"
                               "server listen 1234\n"
                               "```\n";

static struct lab *make_lab(void)
{
    struct source src;
    struct diags diags = {0};
    struct lab_value value = {"port", 4321};
    source_from(&src, "lab.md", lab_text, strlen(lab_text));
    struct lab *lab = lab_parse(&src, &value, 1, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    diags_free(&diags);
    return lab;
}

static struct pattern *parse(const char *text, size_t len, struct diags *diags)
{
    struct source src;
    struct lab *lab = make_lab();
    *diags = (struct diags){0};
    source_from(&src, "expected/x.txt", text, len);
    struct pattern *p = pattern_parse(&src, lab, diags);
    lab_free(lab);
    return p;
}

static char *format(const struct pattern *p)
{
    struct strbuf sb = STRBUF_INIT;
    pattern_format(&sb, p);
    return strbuf_steal(&sb);
}

#define SYN                                                                                        \
    "client.* > server.1234: Flags [S], seq 0, win 64240, options [mss 1460,sackOK], length 0"

/* Parses without a diagnostic, and prints as `canonical`, which prints the same. */
static void check_canonical(const char *text, const char *canonical)
{
    struct diags diags;
    struct pattern *p = parse(text, strlen(text), &diags);
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &said);
    ck_assert_msg(diags.list.n == 0, "%s", strbuf_cstr(&said));
    cleanup_free char *once = format(p);
    ck_assert_str_eq(once, canonical);
    pattern_free(p);
    diags_free(&diags);

    p = parse(once, strlen(once), &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    cleanup_free char *twice = format(p);
    ck_assert_str_eq(twice, once);
    pattern_free(p);
    diags_free(&diags);
}

START_TEST(canonical_forms)
{
    static const char *const same[] = {
        SYN "\n",
        "syn: +0 " SYN "\n",
        SYN " x2..6\n",
        SYN " lost\n",
        SYN " x2 arrives +50ms\n",
        SYN " arrives +12ms..1.5s\n",
        SYN " x1..2 ? arrives +50ms overtaken by 2 twice damaged rewritten\n",
        SYN " CE x2 arrives +50ms\n",
        "client.a > server.1234: Flags [.], … ECT(0) arrives +50ms damaged marked\n",
        SYN " overtaken by 100000\n",
        SYN " x3 injected\n",
        "server > client: ICMP echo request, length 68 twice damaged\n",
        "client.a > server.$port: Flags [.], ack 1, …, length 0\n",
        "client.a > server.1234: …\n",
        "10.9.9.9.80 > client.port: Flags [R.], seq 0, ack *, win 0, length 0\n",
        "client.* > server.1234: Flags [P.], seq 1:13, ack ~, win *, options [nop,nop,TS val ~ ecr "
        "~], length 12\n",
        "client.* > server.1234: Flags [SEW], seq ~, win 1, urg 7, options [mss *,…,wscale 7], "
        "length 0\n",
        "ARP, Request who-has server tell client, length 28\n",
        "server > client: ICMP host server unreachable, length 68\n",
        "client.* > server.53: UDP, length 5 x2\n",
        "client.port > server.1: Flags [.], ack 1, win 9, options [md5 shared secret not supplied "
        "with "
        "-M, can't check - 00ff,nop], length 0\n",
        "client.port > server.1: Flags [S], seq 1, win 9, options [mss 5,[bad opt], length 0 x2\n",
        "client.port > server.1: Flags [R], seq 1:6, win 9, length 5 [RST a, b]\n",
        "ethertype IPv4, IP [|ip]\n",
        "quiet 3s\n",
        "+32s client: connect server 1234 => ETIMEDOUT\n",
        "client as b: send \"a => b\\n\" => 7\n",
        "client: state ESTABLISHED\n",
        "link server down\n",
        "+5s link server up\n",
        "at server: " SYN "\n",
        "any order {\n" SYN "\nARP, …\n}\n",
        "mix 5..200 {\n" SYN "\n" SYN " lost\nARP, …\n}\n",
        "at server: mix 7 {\n" SYN "\n}\n",
        "a:             " SYN "\n   +1s after a client: close\n",
        "# a note\n# of two lines\n" SYN "\n",
        "# a remark\n\n" SYN "\n\n" SYN "\n# the end\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        check_canonical(same[i], same[i]);
    check_canonical("  b:\t+1000ms   client.*   >  server.1234:  Flags [S], ... \r\n",
                    "b: +1s client.* > server.1234: Flags [S], …\n");
    check_canonical("at server: a: " SYN, "a: at server: " SYN "\n");
    check_canonical("a: " SYN "\n" SYN "\n+1s " SYN "\n",
                    "a:     " SYN "\n       " SYN "\n   +1s " SYN "\n");
}
END_TEST

#define TWELVE ARPS ARPS ARPS
#define ARPS "ARP, …\nARP, …\nARP, …\nARP, …\n"

/* Each text gives at least this diagnostic, at this line and column. */
static const struct refusal {
    const char *text;
    size_t line, column;
    const char *message;
} refusals[] = {
    {"", 1, 1, "empty transcript"},
    {"# only a note\n", 1, 1, "empty transcript"},
    {"clinet.* > server.1234: …", 1, 1, "no host \"clinet\""},
    {"client.* > servr.1234: …", 1, 12, "no host \"servr\""},
    {"client > server.1234: Flags [S], …", 1, 1, "has no port"},
    {"client.* > server.99999: Flags [S], …", 1, 19, "is no port"},
    {"client.* > server.$prot: Flags [S], …", 1, 19, "varies no \"prot\""},
    {"client.* > server.1: Flags [Q], …", 1, 29, "no such flag"},
    {"client.* > server.1: Flags [.S], …", 1, 29, "order that tcpdump never prints"},
    {"client.* > server.1: Flags [SS], …", 1, 29, "order that tcpdump never prints"},
    {"client.* > server.1: Flags [], …", 1, 29, "no flags"},
    {"client.* > server.1: Flags [S, …", 1, 28, "not closed"},
    {"client.* > server.1: Flags S, …", 1, 28, "[ is missing"},
    {"client.* > server.1: Flgas [S], …", 1, 22, "no packet's line"},
    {"client.* > server.1: Flags [S], options [mss 1460,wscael 7], …", 1, 51, "no option"},
    {"client.* > server.1: Flags [S], options [mss x], …", 1, 46, "no number"},
    {"client.* > server.1: Flags [S], options [mss 1460", 1, 41, "not closed"},
    {"client.* > server.1: Flags [S], options [nop,], …", 1, 46, "option is missing"},
    {"client.* > server.1: Flags [S], options [TS val 1], …", 1, 42, "a val and an ecr"},
    {"client.* > server.1: Flags [S], win 70000, …", 1, 37, "no number up to 65535"},
    {"client.* > server.1: Flags [S], seq 4294967296, …", 1, 37, "no number up to"},
    {"client.* > server.1: Flags [S], urg ~, …", 1, 37, "does not determine"},
    {"client.* > server.1: Flags [S], win 1, seq 0, …", 1, 40, "too late"},
    {"client.* > server.1: Flags [S], … lost ECT(0)", 1, 42, "directly behind the length"},
    {"client.* > server.1: Flags [S], … CE ECT(0)", 1, 40, "directly behind the length"},
    {"client.* > server.1: Flags [S.], win ~, …", 1, 38, "does not follow from others"},
    {"client.* > server.1: Flags [R], win ~, …", 1, 37, "does not follow from others"},
    {"client.* > server.1: Flags [.], length 1 overtaken by 2 ECT(0)", 1, 57, "directly behind"},
    {"client.* > server.1: Flags [S], … lost marked", 1, 42, "cannot be marked"},
    {"client.* > server.1: Flags [S], seq 0, seq 0, …", 1, 40, "twice"},
    {"client.* > server.1: Flags [S], wni 1, …", 1, 33, "no field \"wni\""},
    {"client.* > server.1: Flags [S], seq 0, win 1", 1, 1, "\"length\" is missing"},
    {"client.* > server.1: Flags [S], , …", 1, 32, "field is missing"},
    {"client.* > server.1: Flags [S], … x0", 1, 37, "0 times"},
    {"client.* > server.1: Flags [S], … x5..2", 1, 37, "more at the low end"},
    {"client.* > server.1: Flags [S], … x3 ?", 1, 1, "repeats from 1"},
    {"client.* > server.1: Flags [S], … x999999", 1, 37, "number up to 100000"},
    {"client.* > server.1: Flags [S], … x60000\nclient.* > server.1: … x60000", 2, 1,
     "more than 100000 lines"},
    {"client.* > server.1: Flags [S], … arrives +50", 1, 45, "duration with its unit"},
    {"client.* > server.1: Flags [S], … arrives +50ms..", 1, 45, "duration with its unit"},
    {"client.* > server.1: Flags [S], … arrives +50ms..20ms", 1, 45, "duration with its unit"},
    {"client.* > server.1: Flags [S], … lost twice", 1, 42, "cannot be twice"},
    {"client.* > server.1: Flags [S], … overtaken by 1 lost", 1, 37, "does not arrive"},
    {"client.* > server.1: Flags [S], … overtaken by 0", 1, 50, "a number from 1 to 100000"},
    {"client.* > server.1: Flags [S], … overtaken by x", 1, 50, "a number from 1 to 100000"},
    {"client.* > server.1: Flags [S], … injected twice", 1, 46, "nobody sent"},
    {"client.* > server.1: Flags [S], … injected arrives +1s", 1, 46, "nobody sent"},
    {"client.* > server.1: Flags [S], … damaged damaged", 1, 33, "there is no field"},
    {"+1 client.* > server.1: Flags [S], …", 1, 1, "interval with its unit"},
    {"+ client.* > server.1: Flags [S], …", 1, 1, "interval with its unit"},
    {"+99999999m client.* > server.1: Flags [S], …", 1, 1, "30 days"},
    {"+1s after a client: close", 1, 11, "no line above has this label"},
    {"a: client.* > server.1: …\n+1s after", 2, 5, "no line above has this label"},
    {"a: client.* > server.1: … x2\n+1s after a client: close", 2, 11, "names something else"},
    {"a: client.* > server.1: … ?\n+1s after a client: close", 2, 11, "names something else"},
    {"a: client: close\n+1s after a client: close", 2, 11, "names something else"},
    {"a: client.* > server.1: …\n+1s after a client.* > server.1: …", 2, 11,
     "only the interval of a call"},
    {"a: client.* > server.1: …\na: client.* > server.1: …", 2, 1, "line 1 has this label"},
    {"1a: client.* > server.1: …", 1, 1, "is no label"},
    {"client: client.* > server.1: …", 1, 9, "a host cannot"},
    {"client: conect server 1234", 1, 9, "a host cannot \"conect\""},
    {"client: connect server 1234 =>", 1, 29, "result is missing"},
    {"client: connect server 1234 => ETIMEOUT", 1, 32, "no error \"ETIMEOUT\""},
    {"client: state", 1, 9, "one state's name"},
    {"link server sideways", 1, 13, "up or down"},
    {"link servr down", 1, 6, "no host \"servr\""},
    {"quiet 3", 1, 7, "how long"},
    {"quiet", 1, 6, "how long"},
    {"+1s quiet 3s", 1, 1, "begins with the line before"},
    {"at nowhere: client.* > server.1: …", 1, 4, "no host \"nowhere\""},
    {"at client:eth7: client.* > server.1: …", 1, 4, "does not capture there"},
    {"at client client.* > server.1: …", 1, 4, "capture point's name"},
    {"any order {\nclient.* > server.1: …", 1, 1, "not closed"},
    {"any order {\nany order {\nclient.* > server.1: …\n}\n}", 2, 1, "inside `any order`"},
    {"}\nquiet 1s", 1, 1, "no `any order {` is open"},
    {"any order {\n}\nquiet 1s", 2, 1, "nothing stands"},
    {"any order {\nquiet 1s\n}", 2, 1, "only packets"},
    {"any order {\nclient.* > server.1: … x13\n}", 2, 1, "more than 12"},
    {"mix {\nclient.* > server.1: …\n}", 1, 1, "how many packets"},
    {"mix few {\nclient.* > server.1: …\n}", 1, 5, "number up to 100000"},
    {"mix 5..2 {\nclient.* > server.1: …\n}", 1, 5, "more at the low end"},
    {"mix 0 {\nclient.* > server.1: …\n}", 1, 5, "no packets says nothing"},
    {"mix 2 {\nclient.* > server.1: …", 1, 1, "this `mix` is not closed"},
    {"mix 2 {\nany order {\nclient.* > server.1: …\n}\n}", 2, 1, "`any order` inside `mix`"},
    {"mix 2 {\n}\nquiet 1s", 2, 1, "nothing stands in this `mix`"},
    {"mix 2 {\nquiet 1s\n}", 2, 1, "only packets stand in `mix`"},
    {"+1s mix 2 {\nARP, …\n}", 1, 1, "`mix` has no label and no interval"},
    {"mix 2 {\nclient.* > server.1: … x2\n}", 2, 1, "neither repeated nor optional"},
    {"mix 2 {\nclient.* > server.1: … ?\n}", 2, 1, "neither repeated nor optional"},
    {"mix 2 {\na: client.* > server.1: …\n}", 2, 1, "a label names one packet"},
    {"mix 2 {\nat server: ARP, …\n}", 2, 1, "stands in front of `mix`"},
    {"mix 2 {\n" TWELVE TWELVE "}", 14, 1, "more than 12 lines in `mix`"},
    {"mix 60000 {\nARP, …\n}\nmix 60000 {\nARP, …\n}", 4, 1, "more than 100000 lines"},
    {"hello world", 1, 1, "no line of a transcript"},
    {"a:", 1, 3, "line is missing"},
    {"client.* > server.1: …\xff", 1, 25, "not UTF-8"},
    {"client.* > server.1: \xc0\xaf", 1, 22, "not UTF-8"},
    {"client.* > server.1: \xed\xa0\x80", 1, 22, "not UTF-8"},
    {"client.* > server.1: \xe2\x80", 1, 22, "not UTF-8"},
};

START_TEST(refused)
{
    const struct refusal *r = &refusals[_i];
    struct diags diags;
    struct pattern *p = parse(r->text, strlen(r->text), &diags);
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &said);
    ck_assert_msg(diags.list.n > 0, "accepted: %s", r->text);
    bool found = false;
    vec_each (&diags.list, d) {
        size_t line, column;
        source_locate(diags.source, d->span.from, &line, &column);
        found = found || (strstr(d->message, r->message) && line == r->line && column == r->column);
    }
    ck_assert_msg(found, "%s\ngives\n%swanted %zu:%zu %s", r->text, strbuf_cstr(&said), r->line,
                  r->column, r->message);
    diags_free(&diags);
    pattern_free(p);
}
END_TEST

START_TEST(nul_bytes_and_long_lines)
{
    char text[PATTERN_MAX_LINE + 100];
    struct diags diags;
    struct pattern *p = parse("client.* > server.1: \0…", 24, &diags);
    ck_assert_str_eq(diags.list.at[0].message, "a NUL byte");
    diags_free(&diags);
    pattern_free(p);
    memset(text, 'a', sizeof(text));
    p = parse(text, PATTERN_MAX_LINE + 1, &diags);
    ck_assert_str_eq(diags.list.at[0].message, "a line of more than 1000 bytes");
    diags_free(&diags);
    pattern_free(p);
}
END_TEST

START_TEST(several_at_once_and_no_flood)
{
    struct diags diags;
    struct pattern *p =
        parse("clint.* > server.1: Flags [Q], …\n\nquiet 3\nlink x y\n", 52, &diags);
    ck_assert_uint_ge(diags.list.n, 4);
    diags_free(&diags);
    pattern_free(p);
    struct strbuf many cleanup_strbuf = STRBUF_INIT;
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&many, "quiet\n");
    p = parse(many.data, many.len, &diags);
    ck_assert_uint_le(diags.list.n, 51);
    diags_free(&diags);
    pattern_free(p);
}
END_TEST

START_TEST(names_are_resolved)
{
    struct diags diags;
    static const char text[] = "10.0.0.1.a > fd00::2.$port: Flags [S], …\n"
                               "client.a > server.b: Flags [.], …\n";
    struct pattern *p = parse(text, strlen(text), &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    const struct pattern_item *i = p->items.at;
    ck_assert(slice_is(i[0].from.host_value, "client"));
    ck_assert(slice_is(i[0].to.host_value, "server"));
    ck_assert(slice_is(i[0].to.port_value, "4321"));
    ck_assert_int_eq(i[0].from.name, i[1].from.name);
    ck_assert_int_ne(i[0].from.name, i[1].to.name);
    ck_assert_uint_eq(p->names.n, 2);
    diags_free(&diags);
    pattern_free(p);
}
END_TEST

/* ------------------------------------------- what is printed parses to the same */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static const char *pick(uint32_t *state, const char *const *from, size_t n)
{
    return from[next_random(state) % n];
}
#define PICK(state, ...)                                                                           \
    pick(state, (const char *const[]){__VA_ARGS__},                                                \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void random_segment(struct strbuf *sb, uint32_t *s)
{
    strbuf_puts(sb, PICK(s, "client.*", "client.port", "client.a", "10.9.8.7.6", "client.$port"));
    strbuf_puts(sb, PICK(s, " > ", "  >  "));
    strbuf_puts(sb, PICK(s, "server.1234", "server.*", "fd00::9.80", "server.$port"));
    strbuf_printf(sb, ": Flags [%s]", PICK(s, "S", "S.", ".", "P.", "F.", "R", "SEW", "*", "none"));
    strbuf_puts(sb, PICK(s, "", ", seq 0", ", seq 1:13", ", seq ~", ", seq *"));
    strbuf_puts(sb, PICK(s, "", ", ack 1", ", ack ~", ", ..."));
    strbuf_printf(sb, ", win %s", PICK(s, "0", "64240", "*", "$port"));
    strbuf_puts(sb, PICK(s, "", "", ", urg 3"));
    strbuf_puts(sb, PICK(s, "", ", options [mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7]",
                         ", options [nop, nop,  TS val ~ ecr ~]", ", options [...]",
                         ", options [nop,…,sack 1 {1:5}]"));
    strbuf_puts(sb, PICK(s, ", length 0", ", length 12", ", length *", ", length 3 ECT(0)"));
    strbuf_puts(sb,
                PICK(s, "", " x3", " ?", " x1..4 ?", " lost", " x2 arrives +5ms", " arrives +0",
                     " twice damaged", " injected", " rewritten x2 overtaken by 3 arrives +1s"));
}

static void random_line(struct strbuf *sb, uint32_t *s, int number)
{
    strbuf_puts(sb, PICK(s, "", "", "\n", "# note\n", "# a\n#\n# b\n", "# remark\n\n", "  \t\n"));
    if (next_random(s) % 4 == 0)
        strbuf_printf(sb, "l%d: ", number);
    if (next_random(s) % 8 == 0)
        strbuf_puts(sb, PICK(s, "at client: ", "at server:eth0: "));
    strbuf_puts(sb, PICK(s, "", "", "+0 ", "+1s ", "+204ms  ", "+1500ms "));
    switch (next_random(s) % 8) {
    case 0:
        strbuf_puts(sb, PICK(s, "link server down", "link client up", "client: state ESTABLISHED"));
        break;
    case 1:
        strbuf_puts(sb, PICK(s, "client: connect server 1234 => ETIMEDOUT", "server: accept",
                             "client as b: send \"x\" => *"));
        break;
    case 2:
        strbuf_puts(sb, PICK(s, "ARP, Request who-has server tell client, length 28 x2",
                             "server > client: ICMP *  …", "client.* > server.53: UDP, length 3"));
        break;
    default:
        random_segment(sb, s);
    }
    strbuf_puts(sb, PICK(s, "\n", " \n", "\r\n"));
}

/* All that a line says, but for where it stands. */
static void check_same(const struct pattern *a, const struct pattern *b)
{
    ck_assert_uint_eq(a->items.n, b->items.n);
    ck_assert_uint_eq(a->lines, b->lines);
    ck_assert_uint_eq(a->names.n, b->names.n);
    for (size_t i = 0; i < a->items.n; i++) {
        const struct pattern_item *x = &a->items.at[i], *y = &b->items.at[i];
        ck_assert_int_eq(x->kind, y->kind);
        ck_assert(slice_equal(x->label, y->label));
        ck_assert_int_eq(!x->note, !y->note);
        if (x->note)
            ck_assert_str_eq(x->note, y->note);
        ck_assert_int_eq(x->has_interval, y->has_interval);
        ck_assert_int_eq(x->interval, y->interval);
        ck_assert_int_eq(x->point, y->point);
        ck_assert_uint_eq(x->least, y->least);
        ck_assert_uint_eq(x->most, y->most);
        ck_assert_int_eq(x->optional, y->optional);
        ck_assert_int_eq(x->fate, y->fate);
        ck_assert_int_eq(x->travel, y->travel);
        ck_assert_int_eq(x->rest, y->rest);
        ck_assert_uint_eq(x->options.n, y->options.n);
        ck_assert(slice_equal(x->from.port_value, y->from.port_value));
        ck_assert_int_eq(x->from.name, y->from.name);
        for (int f = 0; f < FIELD_COUNT; f++) {
            assert_each(x->fields[f].present == y->fields[f].present);
            assert_each(f == FIELD_OPTIONS || slice_equal(x->fields[f].value, y->fields[f].value));
        }
    }
}

START_TEST(random_patterns_round_trip)
{
    uint32_t state = (uint32_t)_i * 7919 + 1;
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    for (int i = 0; i < 20; i++)
        random_line(&text, &state, i);
    struct diags diags, again;
    struct pattern *p = parse(text.data, text.len, &diags);
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &said);
    ck_assert_msg(diags.list.n == 0, "%s\n%s", text.data, strbuf_cstr(&said));
    cleanup_free char *once = format(p);
    struct pattern *q = parse(once, strlen(once), &again);
    ck_assert_msg(again.list.n == 0, "%s", once);
    cleanup_free char *twice = format(q);
    ck_assert_str_eq(once, twice);
    check_same(p, q);
    diags_free(&diags);
    diags_free(&again);
    pattern_free(p);
    pattern_free(q);
}
END_TEST

START_TEST(globs)
{
    static const struct {
        const char *glob, *word;
        bool fits;
    } cases[] = {
        {"*", "", true},
        {"*", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abcd", false},
        {"client.*", "client.", true},
        {"*,", "12,", true},
        {"*,", "12", false},
        {"a**b", "ab", true},
        {"", "", true},
        {"", "x", false},
        {"x", "", false},
        {"*a*b*", "xxaxxbxx", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(slice_glob(slice_of(cases[i].glob), slice_of(cases[i].word)) == cases[i].fits,
                      "%s %s", cases[i].glob, cases[i].word);
}
END_TEST

/* The reference's examples are in the language that it describes. */
START_TEST(the_reference_parses)
{
    struct source doc;
    struct error err = ERROR_INIT;
    int examples = 0;
    ck_assert_msg(source_read(&doc, "docs/transcript-language.md", &err) == 0, "%s", err.message);
    static const char fence[] = "```transcript\n";
    for (const char *p = doc.text; (p = strstr(p, fence)); examples++) {
        p += strlen(fence);
        const char *end = strstr(p, "```");
        ck_assert_ptr_nonnull(end);
        struct diags diags, again;
        struct pattern *pattern = parse(p, (size_t)(end - p), &diags);
        struct strbuf said cleanup_strbuf = STRBUF_INIT;
        diags_format(&diags, &said);
        ck_assert_msg(diags.list.n == 0, "%s", strbuf_cstr(&said));
        cleanup_free char *once = format(pattern);
        struct pattern *other = parse(once, strlen(once), &again);
        ck_assert_uint_eq(again.list.n, 0);
        check_same(pattern, other);
        pattern_free(pattern);
        pattern_free(other);
        diags_free(&diags);
        diags_free(&again);
        p = end;
    }
    ck_assert_int_ge(examples, 8);
    source_free(&doc);
}
END_TEST

static Suite *suite_pattern(void)
{
    Suite *s = suite_create("pattern");
    TCase *t = tcase_create("pattern");
    tcase_add_test(t, canonical_forms);
    tcase_add_loop_test(t, refused, 0, (int)ARRAY_SIZE(refusals));
    tcase_add_test(t, nul_bytes_and_long_lines);
    tcase_add_test(t, several_at_once_and_no_flood);
    tcase_add_test(t, names_are_resolved);
    tcase_add_loop_test(t, random_patterns_round_trip, 0, 100);
    tcase_add_test(t, globs);
    tcase_add_test(t, the_reference_parses);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_pattern)
