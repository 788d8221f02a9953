#include "base/tcp_state.h"

#include <string.h>

const char *const tcp_state_names[TCP_STATE_COUNT] = {
    [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
    [TCP_STATE_SYN_SENT] = "SYN-SENT",
    [TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCP_STATE_TIME_WAIT] = "TIME-WAIT",
    [TCP_STATE_CLOSED] = "CLOSED",
    [TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_STATE_LAST_ACK] = "LAST-ACK",
    [TCP_STATE_LISTEN] = "LISTEN",
    [TCP_STATE_CLOSING] = "CLOSING",
};

enum tcp_state tcp_state_from_name(const char *name, size_t len)
{
    for (enum tcp_state state = TCP_STATE_ESTABLISHED; state < TCP_STATE_COUNT; state++)
        if (strlen(tcp_state_names[state]) == len && memcmp(tcp_state_names[state], name, len) == 0)
            return state;
    return TCP_STATE_NONE;
}

const char *const tcp_ca_state_names[TCP_CA_STATE_COUNT] = {"Open", "Disorder", "CWR", "Recovery",
                                                            "Loss"};
