-- Whether a session is an agent's current one; in the agent's partition.
--
-- ARGV  1 agent, 2 token
-- Reply {'OK'}; {'SESSION'}
--#include common/fence
return {stale_fence('\1agents/'..ARGV[1], ARGV[2]) and 'SESSION' or 'OK'}
