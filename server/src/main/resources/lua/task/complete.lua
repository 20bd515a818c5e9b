-- Ends a task with a result.
--
-- ARGV  1 queue, 2 task, 3 token, 4 result, 5 its TaskChange but for the worker, 6
--       fence name, 7 fence token
-- Reply {'OK', 'S'}; {'NOT_FOUND'}; {'STALE', state}; {'CONFLICT', state};
--       {'STALE_FENCE', highest}
--#include task/ending
--#include common/log
--#include common/protobuf
--#include common/fence
enter(ARGV[1])
local id, token, result = ARGV[2], ARGV[3], ARGV[4]
local key = Q..'t:'..id
local v = C('HMGET', key, 'st', 'tok', 'wk', 'h', 'rt', 'etok')
local state, worker = v[1], v[3]
if not state then return {'NOT_FOUND'} end
if v[2] ~= token or state ~= 'L' then
  local completed = state == 'S' and v[2] == token
  if completed and C('HGET', key, 'r') == result then return {'OK', 'S'} end
  return {(completed or v[6] == token) and 'CONFLICT' or 'STALE', state}
end
local highest = stale_fence(ARGV[6], ARGV[7])
if highest then return {'STALE_FENCE', highest} end
close_attempt(id, worker)
end_task(id, v[4], 'S', v[5], 'r', result)
emit('troupe.tasks', 'task.completed', NAME..'/'..id, ARGV[5]..pb_bytes(6, worker))
return {'OK', 'S'}
