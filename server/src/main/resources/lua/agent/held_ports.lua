-- Reads the ports that a session had, current or not, and that are not freed yet.
--
-- ARGV  1 agent, 2 token
-- Reply {'OK', then per port: host, port, booking}
--#include agent/ports
local reply = {'OK'}
local all = C('HGETALL', ports_key(ARGV[1]))
for i = 1, #all, 2 do
  local host, port = string.match(all[i], '^(.*)\n(%d+)$')
  local booking, token = port_record(all[i + 1])
  if token == ARGV[2] then
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = host, port, booking
  end
end
return reply
