-- Ends an attempt with a failure: a retry, or the end of the task.
--
-- ARGV  1 queue, 2 task, 3 token, 4 failure (Protobuf), 5 its kind, 6 final 0|1,
--       7 retry after us (-1: by policy), 8 chance in [0, 1), 9 fence name,
--       10 fence token
-- Reply {'OK', state, retry us}; {'NOT_FOUND'}; {'STALE', state};
--       {'CONFLICT', state}; {'STALE_FENCE', highest}
--#include task/retry
--#include common/fence
enter(ARGV[1])
local id, token = ARGV[2], ARGV[3]
local v = load_task(id)
local outcome = 'F'..redis.sha1hex(ARGV[4])
local refusal = not_current(v, token, outcome)
if refusal then return refusal end
local highest = stale_fence(ARGV[9], ARGV[10])
if highest then return {'STALE_FENCE', highest} end
local state, retry = fail_attempt(id, v, ARGV[5], ARGV[6] == '1', tonumber(ARGV[7]),
  tonumber(ARGV[8]), ARGV[4])
C('HSET', Q..'t:'..id, 'etok', token, 'eo', outcome, 'es', state, 'et', int(retry))
return {'OK', state, int(retry)}
