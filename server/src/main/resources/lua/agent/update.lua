-- Writes an agent anew if it is still the version that the caller read. Metrics
-- alone are no change: they are neither counted nor told.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 version
--       read (-1: any), 7 token that has to be current (0: any), 8 what is new: 'a'
--       the agent, 'm' its metrics, 'am' both, 9 metrics, 10 encoded Agent, 11
--       status, 12 task, then the index keys
-- Reply {'OK', 0, encoded Agent}; {'NOT_FOUND'}; {'VERSION', current};
--       {'SESSION'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/agent
--#include common/request
--#include common/fence
local id = ARGV[1]
local answer = replay('UpdateAgent', ARGV[4], ARGV[5])
if answer then return answer end
local a = load_agent(id)
if not a then return {'NOT_FOUND'} end
if a.st == TERMINATED or a.st == LOST then return {'SESSION'} end
if ARGV[7] ~= '0' and a.tok ~= ARGV[7] then return {'SESSION'} end
if ARGV[6] ~= '-1' and int(a.v) ~= ARGV[6] then return {'VERSION', int(a.v)} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
if ARGV[8] ~= 'a' then a.me = ARGV[9] end
if ARGV[8] == 'm' then
  C('HSET', agent_key(id), 'me', a.me)
else
  local keys = {}
  for i = 13, #ARGV do keys[#keys + 1] = ARGV[i] end
  local former_type = other_type(a, keys)
  unindex(id, a)
  a.b, a.st, a.task, a.v = ARGV[10], tonumber(ARGV[11]), ARGV[12], a.v + 1
  index(id, a, keys)
  save(id, a)
  tell('updated', id, a, '', former_type)
end
return remember('UpdateAgent', ARGV[4], ARGV[5], {'OK', 0, whole(a)})
