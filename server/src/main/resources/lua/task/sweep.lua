-- What time brings, in every queue of the partition that is due: delays end,
-- leases and timers run out, records expire. At most 64 tasks a call. Any
-- number of servers may run it: each move happens once.
--
-- ARGV  1 a number in [0, 1) for the back-off
-- Reply {'OK', moved, us until something is due (-1: nothing known)}
--#include task/queue
local chance = tonumber(ARGV[1])
local budget, moved = 64, 0

local function due(key)
  if budget <= 0 then return {} end
  local ids = C('ZRANGEBYSCORE', key, '-inf', int(US), 'LIMIT', 0, budget)
  budget = budget - #ids
  moved = moved + #ids
  return ids
end

local function promote(q)
  for _, id in ipairs(due(q.delayed)) do
    C('ZREM', q.delayed, id)
    local v = C('HMGET', task_key(q, id), 'h', 'sc')
    if v[1] then
      C('HSET', task_key(q, id), 'st', 'R')
      make_ready(q, id, header(v[1]), v[2])
      tell(q, 'ready', id, 'R')
    end
  end
end

local function lose(q, id, v, more)
  local h = header(v.h)
  end_attempt(q, id, v, 'a_expired')
  if v.cx then
    end_task(q, id, h, 'C')
    tell(q, 'cancelled', id, 'C', v.tok, v.wk, v.cx)
    return
  end
  local key = task_key(q, id)
  -- A task that never reached its worker cannot have hurt it.
  if more[4] ~= '0' then
    local losses = C('HINCRBY', key, 'lo', 1)
    local by = more[5] or ''
    if not string.find('\n'..by..'\n', '\n'..v.wk..'\n', 1, true) then
      by = by == '' and v.wk or by..'\n'..v.wk
      C('HSET', key, 'lw', by)
    end
    if losses >= 3 and string.find(by, '\n', 1, true) then
      end_task(q, id, h, 'Z')
      tell(q, 'quarantined', id, 'Z', v.tok, v.wk, 'lost')
      return
    end
  end
  tell(q, 'expired', id, 'R', v.tok, v.wk, 'lease')
  put_back(q, id, h, v.sc, 0)
end

local function timed_out(q, id, v, kind)
  fail_attempt(q, id, v, kind, false, -1, chance, pb_bytes(1, kind)
    ..pb_bytes(2, kind == 'stalled' and 'no progress within the stall timeout'
      or 'not ended within the attempt timeout'))
end

local function expire(q)
  for _, id in ipairs(due(q.leases)) do
    local v = load_task(q, id)
    local more = C('HMGET', task_key(q, id), 'ad', 'sd', 'td', 'ak', 'lw')
    if v.st ~= 'L' then
      C('ZREM', q.leases, id)
    elseif more[3] and tonumber(more[3]) <= US then
      end_attempt(q, id, v, 'a_failed')
      C('HSET', task_key(q, id), 'e', pb_bytes(1, 'deadline')..pb_bytes(2, 'past the total deadline'))
      end_task(q, id, header(v.h), v.cx and 'C' or 'X')
      tell(q, v.cx and 'cancelled' or 'dead', id, v.cx and 'C' or 'X', v.tok, v.wk, 'deadline')
    elseif more[1] and tonumber(more[1]) <= US then
      timed_out(q, id, v, 'attempt_timeout')
    elseif more[2] and tonumber(more[2]) <= US then
      timed_out(q, id, v, 'stalled')
    else
      lose(q, id, v, more)
    end
  end
end

local function too_late(q)
  for _, member in ipairs(due(q.timers)) do
    C('ZREM', q.timers, member)
    local id = string.sub(member, 3)
    local v = load_task(q, id)
    -- A running attempt has the deadline in its lease.
    if v.st == 'R' or v.st == 'D' then
      local h = header(v.h)
      if v.st == 'R' then remove_ready(q, id, h) else C('ZREM', q.delayed, id) end
      local kind = string.sub(member, 1, 1) == 'q' and 'queue_lifetime' or 'deadline'
      C('HSET', task_key(q, id), 'e', pb_bytes(1, kind)..pb_bytes(2, 'not ended in time'))
      end_task(q, id, h, 'X')
      tell(q, 'dead', id, 'X', 0, '', kind)
    end
  end
end

local function forget(q)
  for state in pairs(ENDED) do
    for _, id in ipairs(due(q.root..'end:'..state)) do
      C('ZREM', q.root..'end:'..state, id)
      C('DEL', task_key(q, id))
    end
  end
end

local function next_due(q)
  local soonest = nil
  for _, key in ipairs({q.delayed, q.leases, q.timers, q.root..'end:S', q.root..'end:X',
      q.root..'end:C', q.root..'end:Z'}) do
    local head = C('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] then soonest = math.min(soonest or tonumber(head[2]), tonumber(head[2])) end
  end
  return soonest
end

for _, name in ipairs(C('ZRANGEBYSCORE', P..'tq:due', '-inf', int(US), 'LIMIT', 0, 16)) do
  local q = queue_of(name)
  expire(q)
  promote(q)
  too_late(q)
  forget(q)
  local soonest = next_due(q)
  -- Ends of records are not announced one by one, so look once a minute at least.
  if soonest then
    C('ZADD', P..'tq:due', int(math.min(soonest, US + 60000000)), name)
  elseif C('HGET', q.stat, 'ready') and C('HGET', q.stat, 'ready') ~= '0' then
    C('ZADD', P..'tq:due', int(US + 60000000), name)
  else
    C('ZREM', P..'tq:due', name)
  end
  if budget <= 0 then break end
end
local head = C('ZRANGE', P..'tq:due', 0, 0, 'WITHSCORES')
return {'OK', moved, head[2] and int(math.max(0, tonumber(head[2]) - US)) or '-1'}
