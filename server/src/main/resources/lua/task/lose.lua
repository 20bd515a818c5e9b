-- Attempts whose worker vanished.
--#include task/retry
-- Counts a loss and puts the task back, or in quarantine. `acknowledged` is the task's
-- field ak, `by` its lw; `reason` is told.
local function lose(id, v, acknowledged, by, reason)
  end_attempt(id, v, 'a_expired')
  if v.cx then
    end_cancelled(id, v)
    return
  end
  local key = Q..'t:'..id
  -- A task that never reached its worker cannot have hurt it.
  if acknowledged == v.tok then
    local losses = C('HINCRBY', key, 'lo', 1)
    by = by or ''
    if not string.find('\n'..by..'\n', '\n'..v.wk..'\n', 1, true) then
      by = by == '' and v.wk or by..'\n'..v.wk
      C('HSET', key, 'lw', by)
    end
    if losses >= 3 and string.find(by, '\n', 1, true) then
      end_task(id, v.h, 'Z', v.rt)
      tell('quarantined', id, 'Z', v.tok, v.wk, 'lost')
      return
    end
  end
  tell('expired', id, 'R', v.tok, v.wk, reason)
  put_back(id, v, 0)
end
