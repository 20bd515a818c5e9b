-- Ends a task with a result.
--
-- ARGV  1 queue, 2 task, 3 token, 4 result, 5 fence name, 6 fence token
-- Reply {'OK', 'S'}; {'NOT_FOUND'}; {'STALE', state}; {'CONFLICT', state};
--       {'STALE_FENCE', highest}
--#include task/queue
--#include common/fence
local q, id, token, result = queue_of(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local v = load_task(q, id)
local outcome = 'S'..redis.sha1hex(result)
local refusal = not_current(v, token, outcome)
if refusal then return refusal end
local highest = stale_fence(ARGV[5], ARGV[6])
if highest then return {'STALE_FENCE', highest} end
end_attempt(q, id, v, 'a_completed')
end_task(q, id, header(v.h), 'S', 'r', result, 'etok', token, 'eo', outcome, 'es', 'S')
tell(q, 'completed', id, 'S', token, v.wk)
return {'OK', 'S'}
