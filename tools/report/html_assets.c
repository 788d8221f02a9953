/* The assembler takes the files in (from the folder that make is in), so the program needs
 * neither at run time; the Makefile says that this depends on them. */
#include "report/html_assets.h"

#define TEXT_FILE(name, path)                                                                      \
    __asm__(".section .rodata." #name ",\"a\"\n"                                                   \
            ".globl " #name "\n" #name ":\n"                                                       \
            ".incbin \"" path "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".size " #name ", .-" #name "\n"                                                       \
            ".previous\n")

TEXT_FILE(page_css, "tools/report/page.css");
TEXT_FILE(page_js, "tools/report/page.js");
