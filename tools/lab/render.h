/* A lesson as text for a terminal. */
#ifndef LAB_RENDER_H
#define LAB_RENDER_H

#include <stdbool.h>

#include "lab/lab.h"

/* The whole Markdown, wrapped to `width` columns; escape sequences only with color.
 * Control characters of the file never reach the output. */
void lab_render(struct strbuf *out, const struct lab *lab, int width, bool color);

/* The script alone, as it stands in the `lab` blocks. */
void lab_render_script(struct strbuf *out, const struct lab *lab);

/* Any text with its control characters, but for line ends and tabs, replaced. */
void render_plain(struct strbuf *out, const char *text, size_t len);

#endif
