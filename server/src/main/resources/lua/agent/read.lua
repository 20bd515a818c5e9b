-- Reads agents that still match. The one that passes the given bytes is the last one.
--
-- ARGV  1 how many bytes, 2 number of agents (at most 64), their ids, then the
--       conditions as in agent/list
-- Reply {'OK', encoded Agent, or '' for one that is gone or no longer matches...}
--#include agent/matching
local room, behind = tonumber(ARGV[1]), 3 + ARGV[2]
read_conditions(behind)
local reply = {'OK'}
for i = 3, behind - 1 do
  local a = matches(ARGV[i]) and load_agent(ARGV[i])
  reply[#reply + 1] = a and whole(a) or ''
  room = room - #reply[#reply]
  if room <= 0 then break end
end
return reply
