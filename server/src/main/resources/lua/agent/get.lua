-- Reads one agent.
--
-- ARGV  1 agent
-- Reply {'OK', 0, encoded Agent}; {'NOT_FOUND'}
--#include agent/agent
local a = load_agent(ARGV[1])
if not a then return {'NOT_FOUND'} end
return {'OK', 0, whole(a)}
