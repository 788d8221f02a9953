/* Theory of operation.
 *
 * The ladder is one CSS grid.  Its columns are time, the states of the left host, the space
 * between the lifelines (one track between two neighbours), the states of the right host,
 * and the notes.  Each row of the picture has three tracks: words, lane, and what a narrow
 * page puts below.  Text is ordinary text in ordinary cells, so it wraps and is never
 * overlapped, whatever its size and the page's width.
 *
 * An arrow is an <svg> that lies absolutely in the grid from the lane of the row in which
 * the segment was sent to the lane of the row in which it arrived: the browser knows how
 * far that is, and a straight line from corner to corner is the arrow.  In the same way a
 * bar along a lifeline tells how long a call took.
 *
 * The rows' places are CSS of this page alone (`--r` is a row's first track, `--e` the
 * line at which its arrow or bar ends), since the page's policy forbids style attributes.
 *
 * A long ladder is a grid for each CHUNK rows, of which the browser lays out and paints only
 * those near the view.  An arrow or bar that leads out of its grid is drawn in pieces, one in
 * each grid; where it is at the seam follows from the number of rows on both sides.  Of one
 * that leads through many grids (where hundreds are under way at once, all that can be seen
 * of them is that there are many) only the first piece and the last are drawn. */
#include "report/html_ladder.h"

enum { CHUNK = 60, GRIDS_MOST = 4 };

/* The first track of a row in its grid. */
static size_t line_of(const struct ladder *l, size_t row)
{
    return 3 * (row % l->chunk) + 1;
}

/* The last row of the grid that this one is in. */
static size_t last_of(const struct ladder *l, size_t row)
{
    size_t last = row - row % l->chunk + l->chunk - 1, n = l->picture->rows.n;
    return last < n ? last : n - 1;
}

/* ------------------------------------------------------------------ columns */

/* On a host alone, who spoke first is on the left. */
void ladder_ends(const struct ladder *l, const struct picture_row *row, int *from, int *to)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    *from = row->from;
    *to = row->to;
    if (l->picture->columns.n == 1 && s) {
        *from = s->dir ? 1 : 0;
        *to = 1 - *from;
    }
    if (*from < 0)
        *from = 0;
    if (*to < 0 || *to == *from)
        *to = *from ? 0 : (int)l->columns - 1;
}

bool ladder_has_ends(const struct picture_row *row)
{
    return row->from >= 0 || row->to >= 0;
}

const char *ladder_column(const struct ladder *l, int column)
{
    size_t n = l->picture->columns.n;
    return n ? picture_column_name(l->picture, (size_t)column < n ? (size_t)column : n - 1) : "?";
}

/* What is wider than in a lab: long times, and lifelines that are called by addresses. */
static void put_widths(struct ladder *l)
{
    struct strbuf *css = &l->page->style;
    cleanup_strbuf struct strbuf time = STRBUF_INIT;
    size_t longest = 0;
    nsec last = 0;
    vec_each (&l->picture->rows, row)
        last = row->time > last ? row->time : last;
    html_time(&time, l->page, last);
    for (size_t k = 0; k < l->columns; k++) {
        size_t n = strlen(ladder_column(l, (int)k));
        longest = n > longest ? n : longest;
    }
    if (time.len > 8)
        strbuf_printf(css, ";--tw:%.1frem", .55 * (double)time.len + 1);
    if (l->picture->record->states.n)
        strbuf_puts(css, ";--sw:6rem");
    if (!l->page->lab && l->columns > 2)
        strbuf_printf(css, ";--cw:%.1frem", .65 * (double)longest + 1);
}

static void put_grid(struct ladder *l)
{
    struct strbuf *css = &l->page->style;
    strbuf_printf(css, ".lad{--n:%zu", l->columns - 1);
    put_widths(l);
    strbuf_puts(css, "}");
    for (size_t a = 0; a < l->columns; a++)
        for (size_t b = a + 1; b < l->columns; b++)
            strbuf_printf(css, ".c%zu-%zu{grid-column:%zu/%zu}", a, b, a + 3, b + 3);
    strbuf_puts(css, ".all{grid-column:3/");
    strbuf_printf(css,
                  "%zu}.sr{grid-column:%zu}.notes{--c:%zu}.lines{background-image:", l->columns + 2,
                  l->columns + 2, l->columns + 3);
    for (size_t k = 0; k < l->columns; k++)
        strbuf_printf(css, "%slinear-gradient(var(--life),var(--life))", k ? "," : "");
    strbuf_puts(css, ";background-position:");
    for (size_t k = 0; k < l->columns; k++)
        strbuf_printf(css, "%s%.4g%% 0", k ? "," : "",
                      100.0 * (double)k / (double)(l->columns - 1));
    strbuf_puts(css, "}");
}

static void put_heads(struct ladder *l)
{
    struct strbuf *out = l->out;
    strbuf_printf(out,
                  "<div class=\"lad heads%s\" aria-hidden=\"true\"><span class=\"time\">time/%s"
                  "</span><div class=\"all\">",
                  l->columns > 3 ? " crowd" : "", html_unit(l->page));
    for (size_t k = 0; k < l->columns; k++)
        html_around(out, "<span><b>", ladder_column(l, (int)k), "</b></span>");
    strbuf_puts(out, "</div></div>\n");
}

/* -------------------------------------------------------------------- places */

/* Where the arrows and bars that begin in a row end. */
static void find_ends(struct ladder *l)
{
    const struct picture *p = l->picture;
    size_t *departed = xcalloc(p->story->segments.n, sizeof(size_t));
    size_t *began = xcalloc(p->record->calls.n, sizeof(size_t));
    l->ends = xcalloc(p->rows.n, sizeof(size_t));
    for (size_t i = 0; i < p->rows.n; i++) {
        const struct picture_row *row = &p->rows.at[i];
        l->ends[i] = i;
        if (row->kind == PICTURE_DEPARTURE)
            departed[row->segment] = i;
        else if (row->kind == PICTURE_ARRIVAL)
            l->ends[departed[row->segment]] = i;
        else if (row->kind == PICTURE_CALL_BEGAN) {
            began[row->call] = i + 1;
            if (!p->record->calls.at[row->call].ended)
                l->ends[i] = p->rows.n - 1;
        } else if (row->kind == PICTURE_CALL && began[row->call]) {
            l->ends[began[row->call] - 1] = i;
        }
    }
    free(departed);
    free(began);
}

static void put_places(struct ladder *l)
{
    size_t n = l->picture->rows.n < l->chunk ? l->picture->rows.n : l->chunk;
    for (size_t i = 0; i < n; i++)
        strbuf_printf(&l->page->style, ".r%zu{--r:%zu}.e%zu{--e:%zu}", i, line_of(l, i), i,
                      line_of(l, i) + 2);
}

/* The part of an arrow or bar that is in one grid. */
struct piece {
    size_t first, last; /* rows */
    double from, to;    /* of the whole, 0 … 1 */
};

static struct piece piece_of(const struct ladder *l, size_t row, size_t first)
{
    size_t end = l->ends[row], last = last_of(l, first);
    double rows = (double)(end - row + 1);
    struct piece piece = {first, last < end ? last : end, 0, 1};
    if (first > row)
        piece.from = (double)(first - row) / rows;
    if (last < end)
        piece.to = (double)(last + 1 - row) / rows;
    return piece;
}

/* ------------------------------------------------------------------- segments */

/* What the legend explains, in its order. */
enum sign { DATA, CONTROL, RESET, ACK, OTHER, AGAIN, LOST, DAMAGED, BUSY, SIGNS };

static const struct {
    const char *class, *name;
} signs[SIGNS] = {
    [DATA] = {"dat", "data"},       [CONTROL] = {"ctl", "SYN, FIN"},
    [RESET] = {"rst", "reset"},     [ACK] = {"ack", "only an acknowledgment"},
    [OTHER] = {"other", "not TCP"}, [AGAIN] = {"dat re", "↻ sent again"},
    [LOST] = {"dat lost", "lost"},  [DAMAGED] = {"dat dam", "arrives damaged"},
};

static enum sign sign_of(const struct story_segment *s)
{
    if (s->flow < 0)
        return OTHER;
    if (s->p->tcp.flags & TCP_RST)
        return RESET;
    if (s->p->tcp.flags & (TCP_SYN | TCP_FIN))
        return CONTROL;
    return s->p->tcp.payload_len ? DATA : ACK;
}

static void put_arrow(struct ladder *l, size_t i, const struct piece *piece)
{
    const struct picture_row *row = &l->picture->rows.at[i];
    const struct story_segment *s = picture_segment(l->picture, row);
    int from, to;
    ladder_ends(l, row, &from, &to);
    bool right = from < to, lost = s->fate == FATE_LOST;
    double begin = s->injected && piece->from <= 0 ? 40 : 0;
    double end = lost && !picture_is_stopped(l->picture, row) ? 72 : 100;
    double x1 = begin + (100 - begin) * piece->from, x2 = end * piece->to;
    strbuf_printf(l->out, "<svg class=\"a p%ld e%zu %s%s%s%s%s c%d-%d\" aria-hidden=\"true\">",
                  row->segment, piece->last % l->chunk, signs[sign_of(s)].class,
                  s->retransmission ? " re" : "", lost ? " lost" : "", s->damaged ? " dam" : "",
                  piece->to < 1 ? " part" : "", right ? from : to, right ? to : from);
    strbuf_printf(l->out, "<line x1=\"%.4g%%\" y1=\"%.4g%%\" x2=\"%.4g%%\" y2=\"%.4g%%\"/>",
                  right ? x1 : 100 - x1, begin, right ? x2 : 100 - x2, end);
    if (lost)
        strbuf_printf(l->out, "<use href=\"#x\" x=\"%g%%\" y=\"%g%%\"/>", right ? end : 100 - end,
                      end);
    strbuf_puts(l->out, "</svg>");
}

/* ------------------------------------------------------------------------ rows */

static void put_time(struct ladder *l, const struct picture_row *row)
{
    strbuf_puts(l->out, "<span class=\"time\">");
    html_time(l->out, l->page, row->time);
    if (row->gap && row->kind != PICTURE_SILENCE) {
        cleanup_strbuf struct strbuf gap = STRBUF_INIT;
        strbuf_approx(&gap, row->gap);
        strbuf_printf(l->out, "<small>+%s</small>", gap.data);
    }
    strbuf_puts(l->out, "</span>");
}

/* How long a call took. */
static void put_bar(struct ladder *l, size_t i, const struct piece *piece)
{
    const struct picture_row *row = &l->picture->rows.at[i];
    int last = (int)l->columns - 1, column = row->from < 0 ? 0 : row->from;
    bool right = column == last;
    strbuf_printf(l->out, "<i class=\"busy %s%s%s e%zu c%d-%d\"></i>", right ? "rl" : "lr",
                  piece->from > 0 ? " on" : "", piece->to < 1 ? " part" : "",
                  piece->last % l->chunk, right ? last - 1 : column, right ? last : column + 1);
}

/* What leads from row i, as far as it is in the grid of `first`. */
static void put_line(struct ladder *l, size_t i, size_t first)
{
    struct piece piece = piece_of(l, i, first);
    const struct picture_row *row = &l->picture->rows.at[i];
    if (row->segment >= 0 && ladder_has_ends(row))
        put_arrow(l, i, &piece);
    else if (row->segment < 0 && l->ends[i] != i)
        put_bar(l, i, &piece);
}

static void put_id(struct ladder *l, const struct picture_row *row, size_t i)
{
    if (row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE)
        strbuf_printf(l->out, " id=\"s%ld\"", row->segment);
    else
        strbuf_printf(l->out, " id=\"r%zu\"", i);
}

static void put_row(struct ladder *l, size_t i)
{
    const struct picture_row *row = &l->picture->rows.at[i];
    bool sent = row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE;
    strbuf_printf(l->out, "<li class=\"r%zu%s%s\"", i % l->chunk, sent ? " seg" : "",
                  picture_is_bad(row) ? " bad" : "");
    if (row->kind == PICTURE_ARRIVAL)
        strbuf_puts(l->out, " aria-hidden=\"true\"");
    put_id(l, row, i);
    strbuf_puts(l->out, ">");
    if (row->kind != PICTURE_SILENCE && row->kind != PICTURE_MISSING)
        put_time(l, row);
    if (sent)
        ladder_words(l, row);
    else
        ladder_remark(l, row);
    if (row->kind != PICTURE_ARRIVAL)
        put_line(l, i, i);
    ladder_notes(l, row);
    strbuf_puts(l->out, "</li>");
    if (l->ends[i] > last_of(l, i))
        vec_push(&l->open, i);
}

/* Whether a bar or arrow is drawn in the grid that begins with a row. */
static bool is_drawn(const struct ladder *l, size_t i, size_t first)
{
    size_t grids = l->ends[i] / l->chunk - i / l->chunk + 1;
    return l->picture->rows.at[i].segment < 0 || grids <= GRIDS_MOST ||
           l->ends[i] <= last_of(l, first);
}

/* The pieces of what began in the grids before. */
static void put_open(struct ladder *l, size_t first)
{
    size_t n = 0;
    if (l->open.n)
        strbuf_puts(l->out, "<li class=\"on\" aria-hidden=\"true\">");
    for (size_t k = 0; k < l->open.n; k++)
        if (is_drawn(l, l->open.at[k], first))
            put_line(l, l->open.at[k], first);
    strbuf_puts(l->out, l->open.n ? "</li>" : "");
    for (size_t k = 0; k < l->open.n; k++)
        if (l->ends[l->open.at[k]] > last_of(l, first))
            l->open.at[n++] = l->open.at[k];
    l->open.n = n;
}

static void put_rows(struct ladder *l)
{
    size_t n = l->picture->rows.n;
    for (size_t first = 0; first < n; first += l->chunk) {
        strbuf_puts(l->out, "<div class=\"lad rows\"><div class=\"lines all\" "
                            "aria-hidden=\"true\"></div><ol>\n");
        put_open(l, first);
        for (size_t i = first; i <= last_of(l, first); i++)
            put_row(l, i);
        strbuf_puts(l->out, "</ol></div>\n");
    }
}

/* ----------------------------------------------------------------------- whole */

static const char definitions[] =
    "<svg class=\"defs\" aria-hidden=\"true\"><defs>"
    "<marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"10\" "
    "markerHeight=\"10\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
    "<path d=\"M0 .8L10 5L0 9.2L2.6 5z\"/></marker>"
    "<g id=\"x\"><path d=\"M-6-6L6 6M-6 6L6-6\"/></g>"
    "<g id=\"xs\"><path d=\"M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5\"/></g></defs></svg>\n";

/* Which signs this ladder has. */
static void find_signs(const struct ladder *l, bool has[SIGNS])
{
    for (size_t i = 0; i < l->picture->rows.n; i++) {
        const struct story_segment *s = picture_segment(l->picture, &l->picture->rows.at[i]);
        if (!s) {
            has[BUSY] |= l->ends[i] != i;
            continue;
        }
        has[sign_of(s)] = true;
        has[AGAIN] |= s->retransmission;
        has[LOST] |= s->fate == FATE_LOST;
        has[DAMAGED] |= s->damaged;
    }
}

static void put_legend(struct ladder *l)
{
    bool has[SIGNS] = {false};
    find_signs(l, has);
    strbuf_puts(l->out, "<ul class=\"legend\" aria-label=\"Legend\">");
    for (enum sign i = 0; i < BUSY; i++)
        if (has[i])
            strbuf_printf(l->out,
                          "<li><svg aria-hidden=\"true\" class=\"key %s\"><line x1=\"0\" "
                          "y1=\"50%%\" x2=\"%s\" y2=\"50%%\"/>%s</svg> %s</li>",
                          signs[i].class, i == LOST ? "60%" : "100%",
                          i == LOST ? "<use href=\"#x\" x=\"70%\" y=\"50%\"/>" : "", signs[i].name);
    if (has[BUSY])
        strbuf_puts(l->out, "<li><i class=\"key busy\"></i> a call, until it returns</li>");
    strbuf_puts(l->out, "</ul>\n");
}

/* The window scales that a connection's SYNs offered, as they arrived, -1: none. */
struct offers {
    bool seen[2];
    int scale[2];
};

static struct offers *find_offers(const struct story *story)
{
    struct offers *list = xcalloc(story->flows.n, sizeof(*list));
    vec_each (&story->segments, s) {
        const struct tcp_header *t = s->arrived ? &s->arrived->tcp : &s->p->tcp;
        bool dir = s->dir != 0;
        if (s->flow < 0 || s->injected || !(t->flags & TCP_SYN) || list[s->flow].seen[dir])
            continue;
        list[s->flow].seen[dir] = true;
        list[s->flow].scale[dir] = !t->has_wscale ? -1 : t->wscale > 14 ? 14 : t->wscale;
    }
    return list;
}

/* The scale that all windows behind the handshakes have, 0: there is none, or several, or it
 * is not known (RFC 7323 2.2: both SYNs must have offered one; 2.3: 14 at most). */
static int common_scale(const struct story *story)
{
    cleanup_free struct offers *offers = find_offers(story);
    int scale = story->flows.n ? offers[0].scale[0] : 0;
    for (size_t i = 0; i < story->flows.n; i++)
        for (int dir = 0; dir < 2; dir++)
            if (!offers[i].seen[dir] || offers[i].scale[dir] != scale)
                return 0;
    return scale > 0 ? scale : 0;
}

/* What `win` means behind the handshake, if that is the same for all. */
static void put_scale(struct ladder *l)
{
    int scale = common_scale(l->picture->story);
    if (scale > 0)
        strbuf_printf(l->out,
                      " <code>win</code> counts bytes in a SYN, and behind it units of %d bytes, "
                      "as the SYNs agree (wscale %d).",
                      1 << scale, scale);
}

static void put_hint(struct ladder *l)
{
    strbuf_puts(l->out, "<p class=\"hint\">Times count from the first segment, the small ones "
                        "from the one before.");
    if (l->picture->record->states.n)
        strbuf_puts(l->out, " States are the kernel’s, when it was asked: one that lasts for "
                            "microseconds can be missing.");
    put_scale(l);
    strbuf_puts(l->out, "</p>\n");
}

void page_ladder(struct page *page)
{
    struct ladder l = {.page = page, .picture = page->picture, .out = &page->body};
    if (!page->picture || page->picture->rows.n == 0)
        return;
    size_t n = page->picture->rows.n;
    l.columns = page->picture->columns.n < 2 ? 2 : page->picture->columns.n;
    l.big = n > PAGE_BIG;
    l.chunk = l.big ? CHUNK : n;
    find_ends(&l);
    put_grid(&l);
    put_places(&l);
    strbuf_puts(l.out, "<section id=\"ladder\" aria-labelledby=\"ladder-h\">\n"
                       "<h2 id=\"ladder-h\">What happened</h2>\n");
    strbuf_puts(l.out, definitions);
    put_legend(&l);
    put_hint(&l);
    bool scrolls = l.big || !page->lab;
    strbuf_printf(l.out, "<div class=\"frame%s%s\"%s>\n", l.big ? " big" : "",
                  page->lab ? "" : " wide",
                  scrolls ? " tabindex=\"0\" role=\"region\" aria-label=\"The ladder\"" : "");
    put_heads(&l);
    put_rows(&l);
    strbuf_puts(l.out, "</div></section>\n");
    vec_free(&l.open);
    free(l.ends);
    free(l.told);
}
