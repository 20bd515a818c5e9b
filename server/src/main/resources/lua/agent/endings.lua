-- Takes sessions that are over, at most 64 a call, to give back what they held.
-- Whoever takes one has it to itself for a while; it comes back if it is not
-- settled by then.
--
-- ARGV  1 how long us
-- Reply {'OK', us until another one is due (-1: nothing known), entry of ag:over...}
--#include agent/agent
local due = C('ZRANGEBYSCORE', P..'ag:over', '-inf', int(US), 'LIMIT', 0, 64)
for _, entry in ipairs(due) do C('ZADD', P..'ag:over', 'XX', int(US + ARGV[1]), entry) end
local head = C('ZRANGE', P..'ag:over', 0, 0, 'WITHSCORES')
return {'OK', head[2] and int(math.max(0, tonumber(head[2]) - US)) or '-1', unpack(due)}
