/* Which version of IP evidence or a capture is of, before a lab is read for it. */
#ifndef RECORD_IP_OF_H
#define RECORD_IP_OF_H

/* `from`: a folder of evidence, or a capture file.  4 or 6; 0: it does not say, or cannot
 * be read, which is for others to report. */
unsigned record_ip_of(const char *from);

#endif
