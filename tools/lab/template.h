/* The lab with which `tcplab new` starts: it parses, and it passes. */
#ifndef LAB_TEMPLATE_H
#define LAB_TEMPLATE_H

extern const char lab_template_lesson[];     /* labs/NAME.md */
extern const char lab_template_transcript[]; /* expected/NAME.txt */

#endif
