-- Takes bookings that were not confirmed in time, at most 64 a call, to find out
-- whether they were used. Whoever takes one has it to itself for a while.
--
-- ARGV  1 how long us
-- Reply {'OK', us until another one is due (-1: nothing known), entry of ag:booked...}
--#include agent/host_ports
local due = C('ZRANGEBYSCORE', P..'ag:booked', '-inf', int(US), 'LIMIT', 0, 64)
for _, entry in ipairs(due) do C('ZADD', P..'ag:booked', 'XX', int(US + ARGV[1]), entry) end
local head = C('ZRANGE', P..'ag:booked', 0, 0, 'WITHSCORES')
return {'OK', head[2] and int(math.max(0, tonumber(head[2]) - US)) or '-1', unpack(due)}
