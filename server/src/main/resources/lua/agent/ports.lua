-- Ports, as the agents' sessions have them.
--
-- ag:ports:<agent>  HASH  '<host>\n<port>' -> '<booking>\n<token>\n<1 the session has it
--                         | 0 it is being released>', until the host's partition has
--                         freed it
--
-- A port is leased in two partitions, that of the host's name, which keeps ports
-- apart (see agent/host_ports), and that of the agent, which knows whose session is
-- current. In order that a crash between the steps neither leaks a port nor gives it
-- to two:
--  1 the host's partition books ports for a while;
--  2 the agent's partition gives them to the session, unless the booking is old;
--  3 the host's partition takes the time limit off.
-- A booking that reaches its limit is looked into: was it used (2), then it is
-- confirmed, else it is freed. That is decided long after 2 would be refused, so the
-- clocks of two masters would have to differ by minutes to do harm.
-- To free ports the host's partition goes first and this hash forgets them last; the
-- outbox of endings repeats that until it is done.
--#include agent/agent
local function ports_key(id) return P..'ag:ports:'..id end

local function port_record(value)
  local booking, token, has = string.match(value, '^([^\n]*)\n(%d+)\n(%d)$')
  return booking, token, has == '1'
end

-- Notes ports, from ARGV[first] on, as booked for the session of that token.
local function take_ports(id, token, host, booking, first, last)
  for i = first, last do
    C('HSET', ports_key(id), host..'\n'..ARGV[i], booking..'\n'..token..'\n1')
  end
end

-- All that a session has: their number, and packed for Protobuf.
local function packed_ports(id, token)
  local all, ports = C('HGETALL', ports_key(id)), {}
  for i = 1, #all, 2 do
    local _, of, has = port_record(all[i + 1])
    if of == token and has then
      ports[#ports + 1] = tonumber(string.match(all[i], '\n(%d+)$'))
    end
  end
  table.sort(ports)
  local packed = {}
  for i, port in ipairs(ports) do packed[i] = pb_varint(port) end
  return #ports, table.concat(packed)
end
