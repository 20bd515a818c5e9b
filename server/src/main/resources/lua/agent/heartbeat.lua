-- Takes heartbeats of many agents.
--
-- ARGV  per agent: id, token, status (0 keeps it), 1 if the task changes else 0,
--       task, 1 if there are metrics else 0, metrics, number of the last command
--       that arrived (0: nothing new)
-- Reply {'OK', {outcome, lease until us, lease us, number of the last command}...}
--       with outcome 1 extended, 2 replaced, 3 expired
--#include agent/agent
local reply = {'OK'}
for i = 1, #ARGV, 8 do
  local id = ARGV[i]
  local v = C('HMGET', agent_key(id), 'tok', 'lease', 'st', 'task', 'cn')
  local status = tonumber(v[3])
  if not v[1] or status == TERMINATED or status == LOST then
    reply[#reply + 1] = {v[1] and v[1] ~= ARGV[i + 1] and 2 or 3, '0', '0', '0'}
  elseif v[1] ~= ARGV[i + 1] then
    reply[#reply + 1] = {2, '0', '0', '0'}
  else
    local deadline = int(US + tonumber(v[2]))
    C('ZADD', P..'ag:deadline', deadline, id)
    if ARGV[i + 5] == '1' then
      C('HSET', agent_key(id), 'hb', int(US), 'me', ARGV[i + 6])
    else
      C('HSET', agent_key(id), 'hb', int(US))
    end
    if v[5] and ARGV[i + 7] ~= '0' then
      C('ZREMRANGEBYSCORE', commands_key(id, v[1]), '-inf', ARGV[i + 7])
    end
    local wanted = tonumber(ARGV[i + 2])
    local other_status = wanted ~= 0 and wanted ~= status
    local other_task = ARGV[i + 3] == '1' and ARGV[i + 4] ~= v[4]
    if other_status or other_task then
      local a = load_agent(id)
      a.v = a.v + 1
      if other_task then a.task = ARGV[i + 4] end
      change_status(id, a, other_status and wanted or a.st)
      tell('updated', id, a)
    end
    reply[#reply + 1] = {1, deadline, v[2], v[5] or '0'}
  end
end
return reply
