/* A connection for tests of labels, packet by packet, and what the last of them is called. */
#ifndef TESTS_LABEL_SCENE_H
#define TESTS_LABEL_SCENE_H

#include "build_packet.h"
#include "picture/label.h"

#define MS(n) ((n)*NSEC_PER_MSEC)
#define SEC(n) ((n)*NSEC_PER_SEC)
#define WIN 5000
#define CLOSED 65535 /* stands for a window of 0 */
/* Client ISN 1000, server 8000: the client's first byte of data is 1001. */
#define CLIENT(...) (&(struct build_tcp){__VA_ARGS__})
#define SERVER(...) (&(struct build_tcp){.reply = true, __VA_ARGS__})
#define NOTHING 5                    /* ns, so that there is a round-trip time */
#define DATA(n) 1001 + ((n)-1) * 100 /* the n-th segment of 100 bytes */

extern struct record *record;
extern nsec travel;      /* each way */
extern bool sack;        /* is negotiated; true */
extern bool only_client; /* is captured; false */

/* A checked fixture. */
void label_scene_begin(void);
void label_scene_end(void);

/* What is not given: an ACK of the handshake, at the number behind it. */
void sent_within(nsec at, nsec within, const struct build_tcp *given);
void sent(nsec at, const struct build_tcp *b);
void lost(nsec at, const struct build_tcp *b);
/* The client's n-th segment of data, and the server's ACK of all before that one. */
void data(nsec at, int n, bool arrives);
void ack(nsec at, int n);
void ack_sack(nsec at, int n, int from, int to);
/* Over after three travels. */
void handshake(void);
/* tcp_early_retrans of both hosts. */
void setting(const char *value);
/* Behind the first segment of data: the client's probe, and the server's window. */
void probe(nsec at);
void window(nsec at, uint16_t win);

/* "[…] label; label" of the last segment (back 0), or of one before it. */
const char *labels_back(size_t back);

#define LAST(want) ck_assert_str_eq(labels_back(0), want)
#define BACK(back, want) ck_assert_str_eq(labels_back(back), want)

#endif
