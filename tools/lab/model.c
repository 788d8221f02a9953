#include <string.h>

#include "lab/parser.h"

int lab_find_host(const struct lab *lab, const char *name, size_t len)
{
    for (size_t i = 0; i < lab->hosts.n; i++)
        if (strlen(lab->hosts.at[i].name) == len && memcmp(lab->hosts.at[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

static void free_stage(struct lab *lab)
{
    vec_each (&lab->hosts, h) {
        vec_each (&h->ifaces, i)
            vec_free(&i->addrs);
        vec_free(&h->ifaces);
        free(h->name);
    }
    vec_free(&lab->hosts);
    vec_free(&lab->nets);
    vec_free(&lab->routes);
    vec_free(&lab->neighbours);
    vec_each (&lab->captures, c)
        free(c->filter);
    vec_free(&lab->captures);
    vec_free(&lab->traces);
}

static void free_settings(struct lab *lab)
{
    vec_each (&lab->sysctls, s) {
        free(s->key);
        free(s->value);
    }
    vec_free(&lab->sysctls);
    vec_each (&lab->requires_, r)
        free(r->what);
    vec_free(&lab->requires_);
    vec_each (&lab->varies, v)
        free(v->name);
    vec_free(&lab->varies);
}

void lab_free_step(struct lab_step *s)
{
    vec_each (&s->args, a)
        free(a->text);
    vec_free(&s->args);
    free(s->as);
    free(s->wait.flags);
    free(s->wire.rule.pick.flags);
    free(s->wire.rule.pick.filter);
    free(s->wire.segment);
    free(s->result.text);
    free(s->text);
}

void lab_free(struct lab *lab)
{
    if (!lab)
        return;
    free_stage(lab);
    free_settings(lab);
    vec_each (&lab->steps, s)
        lab_free_step(s);
    vec_free(&lab->steps);
    vec_each (&lab->course.after, after)
        free(after->name);
    vec_free(&lab->course.after);
    vec_each (&lab->questions, q)
        free(q->text);
    vec_free(&lab->questions);
    source_free(&lab->source);
    free(lab->name);
    free(lab->title);
    free(lab->summary);
    free(lab);
}
