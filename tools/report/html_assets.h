/* The page's style and script, as page.css and page.js hold them. */
#ifndef REPORT_HTML_ASSETS_H
#define REPORT_HTML_ASSETS_H

extern const char page_css[], page_js[];

#endif
