-- Ends leases and waits whose time is up, and goes on granting where one script could
-- not grant all; at most 64 of each a call.
--
-- Reply {'OK', moved, us until something is due (-1: nothing known)}
--#include lock/lock
local moved = expire() + give_up()
for _, name in ipairs(C('SPOP', P..'lk:more', 16)) do
  grant_next(name, load_lock(name))
  moved = moved + 1
end
settle()
local soonest = C('SCARD', P..'lk:more') > 0 and US or nil
for _, key in ipairs({DUE, P..'lk:wd'}) do
  local head = C('ZRANGE', key, 0, 0, 'WITHSCORES')
  if head[2] then soonest = math.min(soonest or tonumber(head[2]), tonumber(head[2])) end
end
return {'OK', moved, soonest and int(math.max(0, soonest - US)) or '-1'}
