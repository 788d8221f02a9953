/* The parts of the judge; only judge*.c includes this. */
#ifndef TRANSCRIPT_JUDGE_PARTS_H
#define TRANSCRIPT_JUDGE_PARTS_H

#include "transcript/match.h"
#include "transcript/result.h"
#include "transcript/story.h"

/* What one view of the run is judged by: the story itself, or one capture point's. */
struct track {
    int point; /* index into pattern.points, -1: the story */
    char *name;
    bool unknown; /* the record has no such capture point */
    struct story *story;
    struct match_rules rules;
    struct slice *ports; /* what pattern.names stand for here */
    VEC(struct observed) seen;
    VEC(struct match_line) lines;
    struct match_path path;
    size_t next_step; /* not yet a result line */
    long *pairs;      /* by item: the packet taken for it (the last repetition's), -1 */
    long *firsts;     /* by item: the first packet taken for it, -1 */
};

struct judging {
    const struct lab *lab;
    const struct pattern *pattern;
    const struct record *record;
    struct result *result;
    nsec slack;
    nsec origin; /* stamp of the story's first segment, or of the record's begin */
    VEC(struct track) tracks;
    size_t explained;               /* result lines that were given a sentence of their own */
    size_t *wire_first, *wire_next; /* judge_wire.c: events by packet */
};

/* Opens and aligns all tracks; judge_close() also after a failure. */
int judge_open(struct judging *j, struct error *err);
void judge_close(struct judging *j);

/* Decodes, formats and reads what was observed; fills seen and lines. */
void track_open(struct judging *j, struct track *t);
void track_free(struct track *t);
/* Finds what names of ports stand for, and aligns. */
int track_align(struct judging *j, struct track *t, struct error *err);

/* Shows an interval that was repeated as too short, not as unexpected. */
void judge_series(struct track *t);

/* Result lines of what was observed and not expected, as far as it stands before the
 * next line and came before `stamp`. */
void track_emit_before(struct judging *j, struct track *t, nsec stamp);

/* Result lines of a track's steps up to the last one of this item (or of its
 * group); of all that are left with NULL. */
void track_emit(struct judging *j, struct track *t, const struct pattern_item *until);

/* "+1.024s ", as long as it has to be. */
void judge_put_gap(struct strbuf *sb, nsec gap);
char *judge_note(const struct pattern_item *item);
/* Adds a difference, its texts placed in line->expected and line->observed by the
 * slices; `expected` and `observed` are the texts that the slices lead into. */
struct field_diff *judge_add_diff(struct result_line *line, const struct difference *d,
                                  const char *expected_text, const char *observed_text,
                                  size_t observed_shift);
void judge_set_bounds(struct result_line *line, const struct timing_bounds *b);

/* What the wire did: finds it by packet, while the judging is open. */
void judge_wire_open(struct judging *j);
void judge_wire_close(struct judging *j);
/* What it did to a packet of the record, in a few words; NULL: nothing.  The caller frees. */
char *judge_wire_did(const struct judging *j, size_t packet);
/* Result lines of the script's `wire` steps that did not happen. */
void judge_wire_steps(struct judging *j);

/* Calls, links and states: which of the record's each such line means. */
struct call_lines;
struct call_lines *call_lines_new(struct judging *j, const struct track *story);
void call_lines_free(struct call_lines *c);
/* When it happened, by its stamp; 0: it did not, or has not ended. */
nsec call_lines_moment(const struct call_lines *c, const struct pattern_item *item);
/* What happened in the transcript's notation, and whether the line fits it; NULL: nothing did. */
const char *call_lines_text(const struct judging *j, const struct call_lines *c,
                            const struct pattern_item *item, bool *fits);
void call_lines_emit(struct judging *j, struct call_lines *c, const struct pattern_item *item);
/* Calls whose result was not the one that the script stated and that no line named. */
void call_lines_emit_wrong(struct judging *j, const struct call_lines *c);

#endif
