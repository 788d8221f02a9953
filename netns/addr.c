#include "netns/addr.h"

#include <linux/if_addr.h>
#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>

#include "netns/nl.h"

int addr_add(struct nl_conn *conn, int ifindex, const struct ipaddr *addr, unsigned prefix,
             struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, addr);
    struct nl_addr *local = nl_from_ipaddr(addr, prefix);
    struct rtnl_addr *ra = rtnl_addr_alloc();
    struct nl_msg *msg = NULL;
    int rc = -1;
    if (ra && rtnl_addr_set_local(ra, local) == 0) {
        rtnl_addr_set_ifindex(ra, ifindex);
        rtnl_addr_set_prefixlen(ra, (int)prefix);
        if (addr->version == 6)
            rtnl_addr_set_flags(ra, IFA_F_NODAD);
        rc = rtnl_addr_build_add_request(ra, NLM_F_CREATE | NLM_F_EXCL, &msg);
    }
    nl_addr_put(local);
    rtnl_addr_put(ra);
    if (rc < 0)
        return error_set(err, STATUS_USAGE, "%s/%u cannot be an interface's address",
                         strbuf_cstr(&text), prefix);
    return nl_request(conn, msg, err, "add the address %s/%u", strbuf_cstr(&text), prefix);
}
