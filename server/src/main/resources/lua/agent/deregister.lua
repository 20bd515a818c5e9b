-- Ends an agent's session because it says goodbye.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 token that
--       has to be current (0: any), 7 reason, 8 retention us
-- Reply {'OK', 0, encoded Agent}; {'NOT_FOUND'}; {'SESSION'};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/agent
--#include common/request
--#include common/fence
local id = ARGV[1]
local answer = replay('DeregisterAgent', ARGV[4], ARGV[5])
if answer then return answer end
local a = load_agent(id)
if not a then return {'NOT_FOUND'} end
if ARGV[6] ~= '0' and a.tok ~= ARGV[6] then return {'SESSION'} end
if a.st == TERMINATED then return {'OK', 0, whole(a)} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
end_session(id, a, TERMINATED, tonumber(ARGV[8]), 'deregistered')
tell('deregistered', id, a, ARGV[7])
return remember('DeregisterAgent', ARGV[4], ARGV[5], {'OK', 0, whole(a)})
