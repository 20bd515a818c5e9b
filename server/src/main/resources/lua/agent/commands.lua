-- Reads the commands of a session that were not acknowledged, behind a number.
--
-- ARGV  1 agent, 2 token, 3 number
-- Reply {'OK', number of the last command ('0' when the session is over), AgentCommand...}
--#include agent/agent
local v = C('HMGET', agent_key(ARGV[1]), 'tok', 'cn')
if v[1] ~= ARGV[2] then return {'OK', '0'} end
local reply = {'OK', v[2] or '0'}
local key = commands_key(ARGV[1], ARGV[2])
for _, command in ipairs(C('ZRANGEBYSCORE', key, '('..ARGV[3], '+inf')) do
  local bar = string.find(command, '|', 1, true)
  if tonumber(string.sub(command, 1, bar - 1)) > US then
    reply[#reply + 1] = string.sub(command, bar + 1)
  end
end
return reply
