/* The evidence of a run: what is saved comes back, and what was changed is found out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "build_packet.h"
#include "build_result.h"
#include "capture/pcapng_write.h"
#include "record/load.h"
#include "report/evidence.h"
#include "unit.h"

static char *dir; /* the evidence of each test, two folders deep */
static char *top;

static void setup(void)
{
    top = xstrdup("/tmp/tcplab-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    dir = xasprintf("%s/out/handshake", top);
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    if (!d) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        cleanup_free char *below = xasprintf("%s/%s", path, e->d_name);
        struct stat st;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(below);
        else
            unlink(below);
    }
    closedir(d);
    rmdir(path);
}

static void teardown(void)
{
    remove_tree(top);
    free(dir);
    free(top);
}

static char *path_of(const char *file)
{
    return xasprintf("%s/%s", dir, file);
}

static char *slurp(const char *file, size_t *len)
{
    cleanup_free char *path = path_of(file);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    cleanup_strbuf struct strbuf sb = STRBUF_INIT;
    char buf[65536];
    for (size_t n; (n = fread(buf, 1, sizeof(buf), f)) > 0;)
        strbuf_add(&sb, buf, n);
    fclose(f);
    *len = sb.len;
    return strbuf_steal(&sb);
}

static void spew(const char *file, const char *text, size_t len)
{
    cleanup_free char *path = path_of(file);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static void save(struct record *record)
{
    struct error err = ERROR_INIT;
    struct result *result = build_result(SCENE_PASS);
    struct record *own = (struct record *)(uintptr_t)result->record;
    result->record = record;
    int rc = evidence_save(dir, NULL, record, result, "syn: client > server\n", &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    result->record = own;
    build_result_free(result);
}

/* --------------------------------------------------------------- round trip */

static void same_text(const char *a, const char *b)
{
    ck_assert_int_eq(a == NULL, b == NULL);
    if (a)
        ck_assert_str_eq(a, b);
}

static void same_packets(const struct record *a, const struct record *b)
{
    ck_assert_uint_eq(a->packets.n, b->packets.n);
    for (size_t i = 0; i < a->packets.n; i++) {
        const struct record_packet *p = &a->packets.at[i], *q = &b->packets.at[i];
        ck_assert_int_eq(p->point, q->point);
        ck_assert_int_eq(p->outgoing, q->outgoing);
        ck_assert_int_eq(p->incoming, q->incoming);
        ck_assert_int_eq(p->frame.time, q->frame.time);
        ck_assert_uint_eq(p->frame.wirelen, q->frame.wirelen);
        ck_assert_uint_eq(p->frame.caplen, q->frame.caplen);
        ck_assert_int_eq(p->frame.linktype, q->frame.linktype);
        ck_assert_mem_eq(p->frame.data, q->frame.data, p->frame.caplen);
    }
}

static void same_calls(const struct record *a, const struct record *b)
{
    ck_assert_uint_eq(a->calls.n, b->calls.n);
    for (size_t i = 0; i < a->calls.n; i++) {
        const struct record_call *c = &a->calls.at[i], *d = &b->calls.at[i];
        ck_assert_int_eq(c->host, d->host);
        same_text(c->as, d->as);
        same_text(c->verb, d->verb);
        same_text(c->args, d->args);
        ck_assert_int_eq(c->began, d->began);
        ck_assert_int_eq(c->ended, d->ended);
        ck_assert_int_eq(c->failed, d->failed);
        ck_assert_int_eq(c->value, d->value);
        ck_assert_int_eq(c->errnum, d->errnum);
        ck_assert_uint_eq(c->text_len, d->text_len);
        ck_assert_int_eq(c->text == NULL, d->text == NULL);
        if (c->text)
            ck_assert_mem_eq(c->text, d->text, c->text_len);
        same_text(c->expected, d->expected);
        ck_assert_int_eq(c->as_stated, d->as_stated);
        ck_assert_uint_eq(c->step, d->step);
    }
}

static void same_stage(const struct record *a, const struct record *b)
{
    ck_assert_uint_eq(a->hosts.n, b->hosts.n);
    for (size_t i = 0; i < a->hosts.n; i++) {
        ck_assert_str_eq(a->hosts.at[i].name, b->hosts.at[i].name);
        ck_assert_uint_eq(a->hosts.at[i].addrs.n, b->hosts.at[i].addrs.n);
        for (size_t j = 0; j < a->hosts.at[i].addrs.n; j++)
            ck_assert(ipaddr_equal(&a->hosts.at[i].addrs.at[j], &b->hosts.at[i].addrs.at[j]));
    }
    ck_assert_uint_eq(a->points.n, b->points.n);
    for (size_t i = 0; i < a->points.n; i++) {
        const struct record_point *p = &a->points.at[i], *q = &b->points.at[i];
        ck_assert_str_eq(p->name, q->name);
        ck_assert_int_eq(p->host, q->host);
        same_text(p->iface, q->iface);
        same_text(p->filter, q->filter);
        ck_assert_int_eq(p->linktype, q->linktype);
        ck_assert_uint_eq(p->received, q->received);
        ck_assert_uint_eq(p->dropped, q->dropped);
    }
}

static void same_rest(const struct record *a, const struct record *b)
{
    same_text(a->lab, b->lab);
    same_text(a->kernel, b->kernel);
    same_text(a->machine, b->machine);
    same_text(a->version, b->version);
    same_text(a->clock, b->clock);
    ck_assert_int_eq(a->tick, b->tick);
    ck_assert_uint_eq(a->ip, b->ip);
    ck_assert_int_eq(a->lateness, b->lateness);
    ck_assert_int_eq(a->clock_step, b->clock_step);
    ck_assert_int_eq(a->began, b->began);
    ck_assert_int_eq(a->ended, b->ended);
    ck_assert_int_eq(a->has_calls, b->has_calls);
    same_text(a->skipped, b->skipped);
    same_text(a->stopped, b->stopped);
    ck_assert_int_eq(a->interrupted, b->interrupted);
    ck_assert_uint_eq(a->events.n, b->events.n);
    for (size_t i = 0; i < a->events.n; i++) {
        ck_assert_int_eq(a->events.at[i].kind, b->events.at[i].kind);
        ck_assert_int_eq(a->events.at[i].time, b->events.at[i].time);
        ck_assert_int_eq(a->events.at[i].host, b->events.at[i].host);
    }
    ck_assert_uint_eq(a->wire_dropped, b->wire_dropped);
    ck_assert_uint_eq(a->wire.n, b->wire.n);
    for (size_t i = 0; i < a->wire.n; i++) {
        const struct record_wire *w = &a->wire.at[i], *x = &b->wire.at[i];
        ck_assert_int_eq(w->action, x->action);
        ck_assert_int_eq(w->time, x->time);
        ck_assert_int_eq(w->from, x->from);
        ck_assert_int_eq(w->to, x->to);
        ck_assert_int_eq(w->step, x->step);
        ck_assert_int_eq(w->packet, x->packet);
        ck_assert_int_eq(w->arrival, x->arrival);
    }
    ck_assert_uint_eq(a->sysctls.n, b->sysctls.n);
    for (size_t i = 0; i < a->sysctls.n; i++) {
        ck_assert_int_eq(a->sysctls.at[i].host, b->sysctls.at[i].host);
        same_text(a->sysctls.at[i].key, b->sysctls.at[i].key);
        same_text(a->sysctls.at[i].value, b->sysctls.at[i].value);
        ck_assert_int_eq(a->sysctls.at[i].absent, b->sysctls.at[i].absent);
    }
    ck_assert_uint_eq(a->remarks.n, b->remarks.n);
    for (size_t i = 0; i < a->remarks.n; i++)
        same_text(a->remarks.at[i], b->remarks.at[i]);
}

static void same_states(const struct record *a, const struct record *b)
{
    ck_assert_int_eq(a->has_states, b->has_states);
    ck_assert_int_eq(a->states_cut, b->states_cut);
    ck_assert_uint_eq(a->states.n, b->states.n);
    for (size_t i = 0; i < a->states.n; i++) {
        const struct record_state *s = &a->states.at[i], *t = &b->states.at[i];
        ck_assert_int_eq(s->time, t->time);
        ck_assert_int_eq(s->after, t->after);
        ck_assert_int_eq(s->host, t->host);
        ck_assert(ipaddr_equal(&s->local, &t->local));
        ck_assert_uint_eq(s->remote.version, t->remote.version);
        ck_assert(s->remote.version == 0 || ipaddr_equal(&s->remote, &t->remote));
        ck_assert_uint_eq(s->local_port, t->local_port);
        ck_assert_uint_eq(s->remote_port, t->remote_port);
        ck_assert_int_eq(s->old, t->old);
        ck_assert_int_eq(s->new, t->new);
        ck_assert_int_eq(s->has_values, t->has_values);
        ck_assert_mem_eq(&s->values, &t->values, sizeof(s->values));
    }
}

static void check_round_trip(struct record *record)
{
    struct error err = ERROR_INIT;
    save(record);
    struct record *back = record_load(dir, &err);
    ck_assert_msg(back != NULL, "%s", err.message);
    same_packets(record, back);
    same_calls(record, back);
    same_stage(record, back);
    same_rest(record, back);
    same_states(record, back);
    record_free(back);
    record_free(record);
}

START_TEST(every_field_comes_back)
{
    check_round_trip(build_full_record());
}
END_TEST

static void replace_in(const char *file, const char *from, const char *to)
{
    size_t len;
    cleanup_free char *text = slurp(file, &len);
    char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "%s is not in %s", from, text);
    cleanup_strbuf struct strbuf changed = STRBUF_INIT;
    strbuf_add(&changed, text, (size_t)(at - text));
    strbuf_puts(&changed, to);
    strbuf_puts(&changed, at + strlen(from));
    spew(file, changed.data, changed.len);
}

/* Of a tcplab that did not look at states. */
START_TEST(evidence_without_states_loads)
{
    struct record *record = build_full_record();
    vec_free(&record->states);
    record->has_states = record->states_cut = false;
    save(record);
    replace_in("result.json", "\"states\": null,", "");
    replace_in("result.json", "\"states_cut\": false,", "");
    struct error err = ERROR_INIT;
    struct record *back = record_load(dir, &err);
    ck_assert_msg(back != NULL, "%s", err.message);
    same_rest(record, back);
    same_states(record, back);
    record_free(back);
    record_free(record);
}
END_TEST

START_TEST(empty_record_comes_back)
{
    check_round_trip(record_new());
}
END_TEST

/* Only what was asked for is there: no file under another name. */
START_TEST(nothing_else_is_left)
{
    struct record *record = build_full_record();
    save(record);
    save(record);
    unsigned n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    ck_assert_uint_eq(n, 4);
    record_free(record);
}
END_TEST

/* A link in the place of a file is replaced; where it led stays as it was. */
START_TEST(planted_link)
{
    struct record *record = build_full_record();
    save(record);
    cleanup_free char *victim = xasprintf("%s/victim", top);
    cleanup_free char *result = path_of("result.json");
    FILE *f = fopen(victim, "w");
    fputs("untouched", f);
    fclose(f);
    ck_assert_int_eq(unlink(result), 0);
    ck_assert_int_eq(symlink(victim, result), 0);

    struct error err = ERROR_INIT;
    ck_assert_ptr_null(record_load(dir, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "result.json: it is a symbolic link"));
    error_clear(&err);

    save(record);
    struct stat st;
    ck_assert_int_eq(lstat(result, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    ck_assert_int_eq(stat(victim, &st), 0);
    ck_assert_int_eq(st.st_size, 9);
    record_free(record);
}
END_TEST

/* A file that cannot be written leaves the older evidence as it was. */
START_TEST(failure_leaves_the_old)
{
    struct record *record = build_full_record();
    save(record);
    size_t before_len, after_len;
    cleanup_free char *before = slurp("result.json", &before_len);
    record->packets.at[3].point = 99;
    struct error err = ERROR_INIT;
    struct result *result = build_result(SCENE_SKIP);
    ck_assert_int_eq(evidence_save(dir, NULL, record, result, "x", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "capture.pcapng: the capture has no interface 99"));
    error_clear(&err);
    cleanup_free char *after = slurp("result.json", &after_len);
    ck_assert_uint_eq(before_len, after_len);
    ck_assert_mem_eq(before, after, after_len);
    struct record *back = record_load(dir, &err);
    ck_assert_ptr_nonnull(back);
    record_free(back);
    record_free(record);
    build_result_free(result);
}
END_TEST

/* A lab that did not run leaves no capture of an earlier run beside its result. */
START_TEST(skipped_lab)
{
    struct record *record = build_full_record();
    save(record);
    record_free(record);
    struct error err = ERROR_INIT;
    struct result *result = build_result(SCENE_SKIP);
    ck_assert_int_eq(evidence_save(dir, NULL, NULL, result, NULL, &err), 0);
    cleanup_free char *capture = path_of("capture.pcapng"), *transcript = path_of("transcript.txt");
    ck_assert_int_eq(access(capture, F_OK), -1);
    ck_assert_int_eq(access(transcript, F_OK), -1);
    ck_assert_ptr_null(record_load(dir, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "holds no record"));
    error_clear(&err);
    build_result_free(result);
}
END_TEST

START_TEST(folder_cannot_be_made)
{
    struct error err = ERROR_INIT;
    struct result *result = build_result(SCENE_SKIP);
    ck_assert_int_eq(evidence_save("/proc/nothing/here", NULL, NULL, result, NULL, &err), -1);
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    ck_assert_ptr_nonnull(strstr(err.message, "/proc/nothing"));
    error_clear(&err);
    build_result_free(result);
}
END_TEST

/* ------------------------------------------------------------ changed files */

/* One change of one file, and what the message must say. */
static const struct change {
    const char *file, *from, *to, *message;
} changes[] = {
    {"result.json", "{", "[", "result.json: line "},
    {"result.json", "\"schema_version\": 1", "\"schema_version\": 2", "reads version 1"},
    {"result.json", "\"schema_version\"", "\"schema_ver\"", "schema_version is missing"},
    {"result.json", "\"ip\": 4", "\"ip\": 5", "record.ip is 5; it is 4 or 6"},
    {"result.json", "\"ip\": 4", "\"ip\": 7", "record.ip is 7, outside"},
    {"result.json", "\"tick_ns\": 4000000", "\"tick_ns\": -1", "record.tick_ns is -1, outside"},
    {"result.json", "\"tick_ns\": 4000000", "\"tick_ns\": 42000000", "is 42000000, outside"},
    {"result.json", "\"tick_ns\": 4000000", "\"tick_ns\": 4.5", "is a fraction"},
    {"result.json", "\"tick_ns\": 4000000", "\"tick_ns\": \"4\"", "is a string"},
    {"result.json", "\"tick_ns\": 4000000", "\"tick_ns\": 99999999999999999999", "line "},
    {"result.json", "\"began_ns\": 17672256", "\"began_ns\": 57672256", "record.began_ns is 5"},
    {"result.json", "\"began_ns\": 17672256", "\"began_ns\": 27672256", "is before"},
    {"result.json", "\"10.0.0.1\"", "\"10.0.0.256\"", "record.hosts[0].addresses[0] is no IP"},
    {"result.json", "\"name\": \"server\"", "\"name\": \"client\"", "two hosts \"client\""},
    {"result.json", "\"name\": \"server\"", "\"name\": \"\"", "record.hosts[1].name is empty"},
    {"result.json", "\"name\": \"server\"", "\"name\": \"a\\u0000b\"", "holds a NUL byte"},
    {"result.json", "\"host\": \"client\"", "\"host\": \"nobody\"", "no host \"nobody\""},
    {"result.json", "\"received\": 7", "\"received\": -7", "record.points[0].received is -7"},
    {"result.json", "\"linktype\": 1,", "\"linktype\": 113,", "another link type"},
    {"result.json", "\"packets\": ", "\"packets\": 1", "of different runs|counts"},
    {"result.json", "\"calls\": ", "\"calls\": 1", "events.jsonl holds 5 calls"},
    {"result.json", "\"hosts\": [", "\"hosts\": [1, ", "record.hosts[0] should be an object"},
    {"result.json", "\"hosts\": [", "\"hosts\": {}, \"x\": [", "should be an array and is an obj"},
    {"result.json", "\"hex\": \"", "\"hex\": \"g", "should be a string or {\"hex\""},
    {"result.json", "\"absent\": true", "\"absent\": 1", "should be true or false"},
    {"result.json", "\"clock\": ", "\"clock\": \"x\", \"clock\": ", "duplicate object key"},
    {"events.jsonl", "\"type\":\"unplug\"", "\"type\":\"unplugged\"", "no event of type"},
    {"events.jsonl", "\"type\":\"replug\"", "\"kind\":\"state\"", "type is missing"},
    {"events.jsonl", "\"errno\":0", "\"errno\":4096", "line 2: call.errno is 4096"},
    {"events.jsonl", "\"step\":1", "\"step\":-1", "call.step is -1"},
    {"events.jsonl", "\"host\":\"server\"", "\"host\":null", "call.host should be a string"},
    {"events.jsonl", "\n", "\n\n", "line 2, column"},
    {"events.jsonl", "\n", "\nnull\n", "type is missing|line 2"},
    {"events.jsonl", "\"ended_ns\":1767225600", "\"ended_ns\":1667225600", "is before"},
    {"events.jsonl", "\"ended_ns\":1767225600", "\"ended_ns\":1867225600", "before the last"},
    {"result.json", "\"wire\": 3,", "\"wire\": 13,", "holds 3 things that the wire did"},
    {"events.jsonl", "\"action\":\"drop\"", "\"action\":\"eat\"", "does not \"eat\""},
    {"events.jsonl", "\"from\":\"client\"", "\"from\":\"x\"", "wire.from: there is no host"},
    {"events.jsonl", "\"to\":\"server\"", "\"to\":\"client\"", "`to` does not fit"},
    {"events.jsonl", "\"packet\":0", "\"packet\":100", "`packet` does not fit"},
    {"events.jsonl", "\"packet\":0", "\"packet\":3", "`packet` does not fit"},
    {"events.jsonl", "\"packet\":0", "\"packet\":-1", "wire.packet is -1"},
    {"events.jsonl", "\"arrival\":3", "\"arrival\":0", "`arrival` does not fit"},
    {"events.jsonl", "\"arrival\":3", "\"arrival\":100", "`arrival` does not fit"},
    {"events.jsonl", "\"packet\":null,\"arrival\":3", "\"packet\":2,\"arrival\":3", "`packet`"},
    {"events.jsonl", "\"step\":4,\"packet\":null", "\"step\":-4,\"packet\":null",
     "wire.step is -4"},
    {"events.jsonl", "\"time_ns\":1767225600002040002", "\"time_ns\":1867225600002040002",
     "`arrival` does not fit"}, /* it came before it was sent on */
    {"events.jsonl", "\"time_ns\":1767225600002040000", "\"time_ns\":1767225600001040000",
     "`packet` does not fit"}, /* it was dropped before it was sent */
    {"events.jsonl", "\"time_ns\":1767225600002040001", "\"time_ns\":1867225600002040001",
     "before the last"},
    {"result.json", "\"states\": 3,", "\"states\": 2,", "events.jsonl holds 3 states"},
    {"result.json", "\"states\": 3,", "\"states\": null,", "events.jsonl holds 3 states"},
    {"result.json", "\"states\": 3,", "\"states\": -1,", "record.states is -1, outside"},
    {"result.json", "\"states\": 3,", "\"states\": 32769,", "record.states is 32769, outside"},
    {"result.json", "\"states_cut\": true,", "", "record.states_cut is missing"},
    {"events.jsonl", "\"new\":\"LISTEN\"", "\"new\":\"LISTENING\"", "line 9: state.new: \"LIST"},
    {"events.jsonl", "\"new\":\"LISTEN\"", "\"new\":null", "state.new should be a string"},
    {"events.jsonl", "\"old\":\"SYN-SENT\"", "\"old\":\"?\"", "state.old: \"?\" is no state"},
    {"events.jsonl", "\"old\":\"SYN-SENT\"", "\"old\":null", "only one of state.old and"},
    {"events.jsonl", "\"remote\":\"fd00::2\"", "\"remote\":null", "state.remote does not fit"},
    {"events.jsonl", "\"remote\":\"fd00::2\"", "\"remote\":\"1.2.3.4\"", "does not fit"},
    {"events.jsonl", "\"remote\":\"fd00::2\"", "\"remote\":\"x\"", "state.remote is no IP"},
    {"events.jsonl", "\"remote_port\":1,", "\"remote_port\":null,", "state.remote does not fit"},
    {"events.jsonl", "\"local\":\"fd00::1\"", "\"local\":null", "state.local should be"},
    {"events.jsonl", "\"local_port\":65535", "\"local_port\":65536", "state.local_port is 65536"},
    {"events.jsonl", "\"host\":\"server\",\"local\"", "\"host\":\"x\",\"local\"",
     "state.host: there is no host \"x\""},
    {"events.jsonl", "\"after_ns\":1767225600", "\"after_ns\":1667225600", "state.after_ns is"},
    {"events.jsonl", "\"time_ns\":1767225600003000000,\"after", "\"time_ns\":1,\"after",
     "state.time_ns is 1, outside"},
    {"events.jsonl", "\"rto_ns\":1000", "\"rto_ns\":-5", "state.values.rto_ns is -5"},
    {"events.jsonl", "\"cwnd\":", "\"cwnds\":", "state.values.cwnd is missing"},
    {"events.jsonl", "\"ca_state\":\"Loss\"", "\"ca_state\":\"Lost\"", "\"Lost\" is no state"},
    {"events.jsonl", "\"values\":{", "\"values\":1,\"x\":{", "state.values should be"},
};

static bool says(const char *message, const char *wanted)
{
    cleanup_free char *copy = xstrdup(wanted);
    char *rest = copy;
    for (char *part; (part = strsep(&rest, "|"));)
        if (strstr(message, part))
            return true;
    return false;
}

START_TEST(changed_text)
{
    const struct change *change = &changes[_i];
    struct record *record = build_full_record();
    save(record);
    record_free(record);
    replace_in(change->file, change->from, change->to);
    struct error err = ERROR_INIT;
    struct record *back = record_load(dir, &err);
    ck_assert_msg(back == NULL, "%s => %s was not noticed", change->from, change->to);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(says(err.message, change->message), "%s => %s gave: %s", change->from, change->to,
                  err.message);
    error_clear(&err);
}
END_TEST

/* Cut off at any byte, a file is an error; with any byte changed, it is one or not,
 * but never anything else. */
START_TEST(damaged_files)
{
    static const char *const names[] = {"capture.pcapng", "events.jsonl", "result.json"};
    struct record *record = build_full_record();
    save(record);
    record_free(record);
    size_t len;
    cleanup_free char *whole = slurp(names[_i], &len);
    cleanup_free char *damaged = xmemdup(whole, len);
    struct error err = ERROR_INIT;
    /* What may be lacking unnoticed: the two statistics blocks behind the packets, which
     * are not read back, and the last newline of a text. */
    size_t last = len - (_i == 0 ? 2 * 76 + 1 : 2);
    for (size_t n = 0; n <= last; n += 1 + len / 200) {
        spew(names[_i], whole, n);
        ck_assert_msg(record_load(dir, &err) == NULL, "%s of %zu bytes", names[_i], n);
        ck_assert(error_is_set(&err));
        error_clear(&err);
    }
    unsigned noticed = 0;
    for (size_t i = 0; i < len; i += 1 + len / 200) {
        damaged[i] = (char)(damaged[i] ^ (i % 3 == 0 ? 0xff : i % 3 == 1 ? 0x01 : 0x80));
        spew(names[_i], damaged, len);
        damaged[i] = whole[i];
        struct record *back = record_load(dir, &err);
        ck_assert_int_eq(back == NULL, error_is_set(&err));
        noticed += !back;
        record_free(back);
        error_clear(&err);
    }
    ck_assert_uint_gt(noticed, 0);
}
END_TEST

START_TEST(missing_and_strange_files)
{
    static const char *const names[] = {"capture.pcapng", "events.jsonl", "result.json"};
    struct error err = ERROR_INIT;
    ck_assert_ptr_null(record_load("/nonexistent", &err));
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent: No such file"));
    error_clear(&err);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct record *record = build_full_record();
        save(record);
        record_free(record);
        cleanup_free char *path = path_of(names[i]);
        unlink(path);
        ck_assert_ptr_null(record_load(dir, &err));
        ck_assert(strstr(err.message, names[i]) && strstr(err.message, "No such file"));
        error_clear(&err);
        ck_assert_int_eq(mkfifo(path, 0600), 0); /* must not wait for a writer */
        ck_assert_ptr_null(record_load(dir, &err));
        ck_assert_ptr_nonnull(strstr(err.message, "no regular file"));
        error_clear(&err);
        unlink(path);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        ck_assert_int_eq(ftruncate(fd, (off_t)2 << 30), 0);
        close(fd);
        ck_assert_ptr_null(record_load(dir, &err));
        ck_assert_ptr_nonnull(strstr(err.message, "the limit is"));
        error_clear(&err);
    }
}
END_TEST

/* ------------------------------------------------------------------- pcapng */

START_TEST(pcapng_refuses)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    struct pcapng_writer w;
    struct error err = ERROR_INIT;
    struct pcapng_section none = {0};
    ck_assert_int_eq(pcapng_begin(&w, f, &none, &err), 0);
    struct frame frame = {.time = 1, .data = (const uint8_t *)"abc", .caplen = 3, .wirelen = 3};
    ck_assert_int_eq(pcapng_add_packet(&w, 0, &frame, PCAPNG_UNKNOWN, NULL, &err), -1);
    error_clear(&err);
    ck_assert_int_eq(pcapng_add_interface(&w, &(struct pcapng_interface){.linktype = 70000}, &err),
                     -1);
    error_clear(&err);
    ck_assert_int_eq(pcapng_add_interface(&w, &(struct pcapng_interface){0}, &err), 0);
    ck_assert_int_eq(pcapng_add_interface(&w, &(struct pcapng_interface){0}, &err), 1);
    frame.time = -1;
    ck_assert_int_eq(pcapng_add_packet(&w, 1, &frame, PCAPNG_UNKNOWN, NULL, &err), -1);
    error_clear(&err);
    fclose(f);
    ck_assert_uint_eq(len % 4, 0);
    free(text);
}
END_TEST

/* A comment that an option cannot hold is cut between two characters. */
START_TEST(pcapng_long_comment)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    struct pcapng_writer w;
    struct error err = ERROR_INIT;
    cleanup_strbuf struct strbuf comment = STRBUF_INIT;
    strbuf_putc(&comment, 'x');
    while (comment.len < 70000)
        strbuf_puts(&comment, "é");
    pcapng_begin(&w, f, &(struct pcapng_section){0}, &err);
    pcapng_add_interface(&w, &(struct pcapng_interface){0}, &err);
    fflush(f);
    size_t before = len;
    struct frame frame = {0};
    ck_assert_int_eq(pcapng_add_packet(&w, 0, &frame, PCAPNG_OUTBOUND, comment.data, &err), 0);
    fclose(f);
    const unsigned char *option = (const unsigned char *)text + before + 28;
    ck_assert_uint_eq(option[0], 1);
    ck_assert_uint_eq(option[2] | option[3] << 8, 65535); /* 1 + 2 * 32767 */
    ck_assert_int_eq(option[4 + 65534], 0xa9);
    ck_assert_uint_eq(len % 4, 0);
    free(text);
}
END_TEST

START_TEST(pcapng_full_disk)
{
    FILE *f = fopen("/dev/full", "w");
    setvbuf(f, NULL, _IONBF, 0);
    struct pcapng_writer w;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(pcapng_begin(&w, f, &(struct pcapng_section){0}, &err), -1);
    ck_assert_int_eq(err.sys, ENOSPC);
    error_clear(&err);
    fclose(f);
}
END_TEST

static Suite *suite_evidence(void)
{
    Suite *s = suite_create("evidence");
    TCase *tc = tcase_create("evidence");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_field_comes_back);
    tcase_add_test(tc, evidence_without_states_loads);
    tcase_add_test(tc, empty_record_comes_back);
    tcase_add_test(tc, nothing_else_is_left);
    tcase_add_test(tc, planted_link);
    tcase_add_test(tc, failure_leaves_the_old);
    tcase_add_test(tc, skipped_lab);
    tcase_add_test(tc, folder_cannot_be_made);
    tcase_add_loop_test(tc, changed_text, 0, ARRAY_SIZE(changes));
    tcase_add_loop_test(tc, damaged_files, 0, 3);
    tcase_add_test(tc, missing_and_strange_files);
    suite_add_tcase(s, tc);
    TCase *pcapng = tcase_create("pcapng");
    tcase_add_test(pcapng, pcapng_refuses);
    tcase_add_test(pcapng, pcapng_long_comment);
    tcase_add_test(pcapng, pcapng_full_disk);
    suite_add_tcase(s, pcapng);
    return s;
}
TEST_SUITE(suite_evidence)
