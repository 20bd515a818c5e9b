-- Takes the time limit off a booking that a session uses.
--
-- ARGV  1 entry of ag:booked, 2 token of the session, 3 agent, 4 host, 5 booking, then
--       its ports
-- Reply {'OK'}
--#include agent/host_ports
if C('ZREM', P..'ag:booked', ARGV[1]) == 1 then
  for i = 6, #ARGV do
    local key = P..'ag:hp:'..ARGV[4]
    if C('HGET', key, ARGV[i]) == ARGV[5]..'\n0\n'..ARGV[3] then
      C('HSET', key, ARGV[i], ARGV[5]..'\n'..ARGV[2]..'\n'..ARGV[3])
    end
  end
end
return {'OK'}
