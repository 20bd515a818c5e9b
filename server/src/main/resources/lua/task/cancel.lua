-- Cancels a task: at once when it is not running, else its worker is told.
--
-- ARGV  1 queue, 2 task, 3 reason, 4 fence name, 5 fence token
-- Reply {'OK', state}; {'NOT_FOUND'}; {'STATE', state}; {'STALE_FENCE', highest}
--#include task/report
--#include task/unready
--#include task/tell
--#include common/fence
enter(ARGV[1])
local id, reason = ARGV[2], ARGV[3]
local v = load_task(id)
if not v.st then return {'NOT_FOUND'} end
if v.st == 'C' then return {'OK', 'C'} end
if ENDED[v.st] then return {'STATE', v.st} end
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
if v.st == 'L' then
  if not v.cx then
    C('HSET', Q..'t:'..id, 'cx', reason)
    tell('cancel_requested', id, 'L', v.tok, v.wk, reason)
  end
  C('PUBLISH', P..'bell', 'c\n'..NAME..'\n'..id..'\n'..v.tok..'\n'..v.wk)
  return {'OK', 'L'}
end
if v.st == 'R' then remove_ready(id, group_of(v.h)) else C('ZREM', Q..'delayed', id) end
end_task(id, v.h, 'C', v.rt, 'cx', reason)
tell('cancelled', id, 'C', 0, '', reason)
return {'OK', 'C'}
