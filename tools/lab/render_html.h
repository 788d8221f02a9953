/* A lesson as HTML. */
#ifndef LAB_RENDER_HTML_H
#define LAB_RENDER_HTML_H

#include "lab/lab.h"

/* The Markdown behind the title as HTML, with each heading one level further down, so that
 * the whole can stand below a heading of the second.  Whatever the file holds, this is
 * harmless and loads nothing: raw HTML is left out, an image is its text, and control
 * characters are replaced. */
void lab_render_html(struct strbuf *out, const struct lab *lab);

#endif
