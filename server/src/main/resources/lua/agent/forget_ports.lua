-- Forgets ports that the host's partition has freed.
--
-- ARGV  1 agent, then per port: host, port, booking
-- Reply {'OK'}
--#include agent/ports
for i = 2, #ARGV, 3 do
  local field = ARGV[i]..'\n'..ARGV[i + 1]
  local record = C('HGET', ports_key(ARGV[1]), field)
  if record and port_record(record) == ARGV[i + 2] then C('HDEL', ports_key(ARGV[1]), field) end
end
return {'OK'}
