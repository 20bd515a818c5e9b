-- Ports of a host, in the partition of its name; see agent/ports.
--
-- ag:hp:<host>  HASH    port -> '<booking>\n<token, 0 before it is confirmed>\n<agent>';
--                       next: where to look for a free one
-- ag:hb:<host>  STRING  a bit per port: 1 when it stands in ag:hp
-- ag:booked     ZSET    '<booking>\n<agent>\n<host>\n<port> <port>...' not confirmed yet
--                       -> when to look into it, us
--#include common/prelude
-- Frees a port if it is still that of the booking.
local function free_port(host, port, booking)
  local key = P..'ag:hp:'..host
  local holder = C('HGET', key, port)
  if holder and string.sub(holder, 1, #booking + 1) == booking..'\n' then
    C('HDEL', key, port)
    C('SETBIT', P..'ag:hb:'..host, port, 0)
    -- Nothing but `next` is left.
    if C('HLEN', key) == 1 then C('DEL', key, P..'ag:hb:'..host) end
  end
end
