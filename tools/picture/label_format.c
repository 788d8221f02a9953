/* Labels as text. */
#include "picture/label.h"

#include <inttypes.h>

#include "base/memory.h"

#define LABEL_NAME(kind, name, text) name,
static const char *const names[] = {LABEL_KINDS(LABEL_NAME)};
#undef LABEL_NAME
#define LABEL_SHORT(kind, name, text) text,
static const char *const short_texts[] = {LABEL_KINDS(LABEL_SHORT)};
#undef LABEL_SHORT

/* %n is the number; without one it is left out, and the blank before it.  %o is that of RTOs,
 * likewise, and only if it is another one.  %a is what it waited, %k that only the kernel says so,
 * %r the range of sequence numbers. */
static const char *const texts[] = {
    [LABEL_SYN_RETRANSMISSION] = "SYN retransmission %n (%a)",
    [LABEL_SYN_ACK_RETRANSMISSION] = "SYN-ACK retransmission %n (%a)",
    [LABEL_SYN_ACK_REPEATED] = "SYN-ACK retransmission %n (the SYN has come again)",
    [LABEL_SIMULTANEOUS_OPEN] = "simultaneous open: the SYNs cross",
    [LABEL_ESTABLISHED] = "established: the handshake is complete",
    [LABEL_ECN_ASKED] = "asks for ECN",
    [LABEL_ECN_GRANTED] = "agrees to ECN",
    [LABEL_FAST_OPEN_REQUEST] = "asks for a Fast Open cookie",
    [LABEL_FAST_OPEN_COOKIE] = "grants a Fast Open cookie",
    [LABEL_FAST_OPEN_DATA] = "Fast Open: a SYN with a cookie and data",
    [LABEL_RTO] = "retransmission %n (RTO %o, %a%k)",
    [LABEL_TAIL_LOSS_PROBE] = "retransmission %n (tail loss probe, %a%k)",
    [LABEL_RTO_OR_PROBE] = "retransmission %n (RTO or tail loss probe, %a)",
    [LABEL_TIMER] = "retransmission %n (by a timer, the record does not tell which, %a)",
    [LABEL_AFTER_RTO] = "retransmission %n (slow start after the RTO%k)",
    [LABEL_FAST] = "retransmission %n (fast%k)",
    [LABEL_RACK] = "retransmission %n (RACK, %a)",
    [LABEL_RECOVERY] = "retransmission %n (in recovery%k)",
    [LABEL_PARTIAL] = "retransmission %n (partial ACK)",
    [LABEL_PATH_MTU] = "retransmission %n (smaller, for the path's MTU)",
    [LABEL_RETRANSMISSION] = "retransmission %n (the record does not tell why)",
    [LABEL_SPURIOUS_UNDER_WAY] = "spurious: what it repeats is still under way",
    [LABEL_SPURIOUS] = "spurious: it had arrived already",
    [LABEL_LIMITED_TRANSMIT] = "limited transmit",
    [LABEL_WINDOW_FULL] = "the peer's window is full",
    [LABEL_BEHIND] = "behind later data: overtaken, or a retransmission",
    [LABEL_OUT_OF_ORDER] = "out of order: overtaken by %n",
    [LABEL_KEEPALIVE] = "keep-alive %n (%a%k)",
    [LABEL_KEEPALIVE_ANSWER] = "answer to the keep-alive",
    [LABEL_ZERO_WINDOW_PROBE] = "zero-window probe %n (%a%k)",
    [LABEL_ZERO_WINDOW_PROBE_ANSWER] = "answer to the zero-window probe",
    [LABEL_PROBE] = "keep-alive or zero-window probe %n (%a)",
    [LABEL_PROBE_ANSWER] = "answer to the probe",
    [LABEL_DUPLICATE_ACK] = "duplicate ACK %n",
    [LABEL_DSACK] = "DSACK: %r had arrived before",
    [LABEL_PARTIAL_ACK] = "partial ACK",
    [LABEL_FULL_ACK] = "full ACK: nothing from before the recovery is missing",
    [LABEL_DELAYED_ACK] = "delayed ACK (%a)",
    [LABEL_REPEATED_ACK] = "ACK of what was acknowledged before",
    [LABEL_CHALLENGE_ACK] = "challenge ACK",
    [LABEL_ZERO_WINDOW] = "zero window",
    [LABEL_WINDOW_UPDATE] = "window update",
    [LABEL_CE] = "marked on its way: congestion experienced",
    [LABEL_ECE] = "ECN echo: a mark has come",
    [LABEL_CWR] = "congestion window reduced",
    [LABEL_HALF_CLOSE] = "half-close: the other direction goes on",
    [LABEL_SIMULTANEOUS_CLOSE] = "simultaneous close: the FINs cross",
    [LABEL_FIN_ACK] = "ACK of the FIN",
    [LABEL_LAST_ACK] = "last ACK: both directions are closed",
    [LABEL_TIME_WAIT_ACK] = "ACK out of TIME-WAIT",
    [LABEL_REFUSED] = "reset: connection refused",
    [LABEL_ABORT] = "reset: abort",
    [LABEL_UNKNOWN_CONNECTION] = "reset: no such connection",
    [LABEL_AFTER_CLOSE] = "reset: data after the close",
    [LABEL_GAVE_UP] = "reset: gave up",
    [LABEL_RESET] = "reset (the record does not tell why)",
};
_Static_assert(ARRAY_SIZE(texts) == LABEL_KINDS_N, "each kind has a text");

static void put_after(struct strbuf *sb, const struct label *label)
{
    if (label->after <= 0) {
        strbuf_puts(sb, "at once");
        return;
    }
    if (!label->after_ack)
        strbuf_puts(sb, "after ");
    strbuf_approx(sb, label->after);
    if (label->after_ack)
        strbuf_puts(sb, " after an ACK");
}

static void put_number(struct strbuf *sb, unsigned n)
{
    if (n)
        strbuf_printf(sb, "%u", n);
    else
        strbuf_truncate(sb, sb->len - 1);
}

void label_format(struct strbuf *sb, const struct label *label)
{
    for (const char *t = texts[label->kind]; *t; t++) {
        if (*t != '%') {
            strbuf_putc(sb, *t);
            continue;
        }
        switch (*++t) {
        case 'n':
            put_number(sb, label->n);
            break;
        case 'o':
            put_number(sb, label->rto == label->n ? 0 : label->rto);
            break;
        case 'k':
            if (label->basis == LABEL_BY_KERNEL)
                strbuf_puts(sb, ", as the kernel says");
            break;
        case 'a':
            put_after(sb, label);
            break;
        default: /* r */
            strbuf_printf(sb, "%" PRIu32 ":%" PRIu32, label->from, label->to);
            break;
        }
    }
}

const char *label_short(enum label_kind kind)
{
    return short_texts[kind];
}

unsigned label_short_number(const struct label *label)
{
    return label->rto ? label->rto : label->n;
}

const char *label_name(enum label_kind kind)
{
    return names[kind];
}
