-- Cancels a task: at once when it is not running, else its worker is told.
--
-- ARGV  1 queue, 2 task, 3 reason, 4 fence name, 5 fence token
-- Reply {'OK', state}; {'NOT_FOUND'}; {'STATE', state}; {'STALE_FENCE', highest}
--#include task/queue
--#include common/fence
local q, id = queue_of(ARGV[1]), ARGV[2]
local v = load_task(q, id)
if not v.st then return {'NOT_FOUND'} end
if v.st == 'C' then return {'OK', 'C'} end
if ENDED[v.st] then return {'STATE', v.st} end
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
local h = header(v.h)
if v.st == 'L' then
  if not v.cx then
    C('HSET', task_key(q, id), 'cx', ARGV[3])
    tell(q, 'cancel_requested', id, 'L', v.tok, v.wk, ARGV[3])
  end
  C('PUBLISH', P..'bell', 'c\n'..q.name..'\n'..id..'\n'..v.tok..'\n'..v.wk)
  return {'OK', 'L'}
end
if v.st == 'R' then remove_ready(q, id, h) else C('ZREM', q.delayed, id) end
end_task(q, id, h, 'C', 'cx', ARGV[3])
tell(q, 'cancelled', id, 'C', 0, '', ARGV[3])
return {'OK', 'C'}
