/* The states of a connection in the names of RFC 9293, section 3.3.2, and in the kernel's
 * numbering (include/net/tcp_states.h), which sock_diag and TCP_INFO give. */
#ifndef BASE_TCP_STATE_H
#define BASE_TCP_STATE_H

#include <stddef.h>

enum tcp_state {
    TCP_STATE_NONE, /* not known */
    TCP_STATE_ESTABLISHED,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RECEIVED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_TIME_WAIT,
    TCP_STATE_CLOSED,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_LAST_ACK,
    TCP_STATE_LISTEN,
    TCP_STATE_CLOSING,
    TCP_STATE_COUNT,
};

/* "FIN-WAIT-1"; NULL for TCP_STATE_NONE. */
extern const char *const tcp_state_names[TCP_STATE_COUNT];

/* By its name; TCP_STATE_NONE if there is none of that name. */
enum tcp_state tcp_state_from_name(const char *name, size_t len);

/* The states of congestion control by their names in Linux, enum tcp_ca_state. */
enum tcp_ca_state_number {
    TCP_CA_STATE_OPEN,
    TCP_CA_STATE_DISORDER,
    TCP_CA_STATE_CWR,
    TCP_CA_STATE_RECOVERY,
    TCP_CA_STATE_LOSS,
    TCP_CA_STATE_COUNT,
};
extern const char *const tcp_ca_state_names[TCP_CA_STATE_COUNT];

#endif
