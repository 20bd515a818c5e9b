-- Finds out whether a booking was used, by whichever session of the agent.
--
-- ARGV  1 agent, 2 booking
-- Reply {'OK', token of the session ('0' when it was not)}
--#include agent/ports
for _, record in ipairs(C('HVALS', ports_key(ARGV[1]))) do
  local booking, token = port_record(record)
  if booking == ARGV[2] then return {'OK', token} end
end
return {'OK', '0'}
