#!/bin/sh
# The page on standard input as it is without its style and script, and without what only
# follows from these or from tcplab's version.
exec perl -0777 -pe 's{<style>.*?</style>\n?}{}gs; s{<script.*?</script>\n?}{}gs;
    s{<meta http-equiv[^>]*>\n}{}; s{Written by tcplab [0-9.]+}{Written by tcplab}'
