-- What time brings, in every queue of the partition that is due: delays end,
-- leases and timers run out, records expire. At most 64 tasks a call. Any
-- number of servers may run it: each move happens once.
--
-- ARGV  1 a number in [0, 1) for the back-off
-- Reply {'OK', moved, us until something is due (-1: nothing known)}
--#include task/lose
--#include task/unready
local chance = tonumber(ARGV[1])
local budget, moved = 64, 0

local function due(key)
  if budget <= 0 then return {} end
  local ids = C('ZRANGEBYSCORE', key, '-inf', int(US), 'LIMIT', 0, budget)
  budget = budget - #ids
  moved = moved + #ids
  return ids
end

local function promote()
  for _, id in ipairs(due(Q..'delayed')) do
    C('ZREM', Q..'delayed', id)
    local v = C('HMGET', Q..'t:'..id, 'h', 'sc', 'ct')
    if v[1] then
      C('HSET', Q..'t:'..id, 'st', 'R')
      make_ready(id, v[2] or v[3], group_of(v[1]))
      tell('ready', id, 'R')
    end
  end
end

local function timed_out(id, v, kind)
  fail_attempt(id, v, kind, false, -1, chance, pb_bytes(1, kind)
    ..pb_bytes(2, kind == 'stalled' and 'no progress within the stall timeout'
      or 'not ended within the attempt timeout'))
end

local function expire()
  for _, id in ipairs(due(Q..'leases')) do
    local v = load_task(id)
    local more = C('HMGET', Q..'t:'..id, 'bt', 'sd', 'td', 'ak', 'lw')
    if v.st ~= 'L' then
      C('ZREM', Q..'leases', id)
    elseif more[3] and tonumber(more[3]) <= US then
      end_attempt(id, v, 'a_failed')
      C('HSET', Q..'t:'..id, 'e', pb_bytes(1, 'deadline')..pb_bytes(2, 'past the total deadline'))
      end_task(id, v.h, v.cx and 'C' or 'X', v.rt)
      tell(v.cx and 'cancelled' or 'dead', id, v.cx and 'C' or 'X', v.tok, v.wk, 'deadline')
    elseif more[1] + struct.unpack('>d', v.h, 11) <= US then
      timed_out(id, v, 'attempt_timeout')
    elseif more[2] and tonumber(more[2]) <= US then
      timed_out(id, v, 'stalled')
    else
      lose(id, v, more[4], more[5], 'lease')
    end
  end
end

local function too_late()
  for _, member in ipairs(due(Q..'timers')) do
    C('ZREM', Q..'timers', member)
    local id = string.sub(member, 3)
    local v = load_task(id)
    -- A running attempt has the deadline in its lease.
    if v.st == 'R' or v.st == 'D' then
      if v.st == 'R' then remove_ready(id, group_of(v.h)) else C('ZREM', Q..'delayed', id) end
      local kind = string.sub(member, 1, 1) == 'q' and 'queue_lifetime' or 'deadline'
      C('HSET', Q..'t:'..id, 'e', pb_bytes(1, kind)..pb_bytes(2, 'not ended in time'))
      end_task(id, v.h, 'X', v.rt)
      tell('dead', id, 'X', 0, '', kind)
    end
  end
end

local function forget()
  for state in pairs(ENDED) do
    for _, id in ipairs(due(Q..'end:'..state)) do
      C('ZREM', Q..'end:'..state, id)
      C('DEL', Q..'t:'..id)
    end
  end
end

local function next_due()
  local soonest = nil
  for _, key in ipairs({Q..'delayed', Q..'leases', Q..'timers', Q..'end:S', Q..'end:X',
      Q..'end:C', Q..'end:Z'}) do
    local head = C('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] then soonest = math.min(soonest or tonumber(head[2]), tonumber(head[2])) end
  end
  return soonest
end

for _, name in ipairs(C('ZRANGEBYSCORE', P..'tq:due', '-inf', int(US), 'LIMIT', 0, 16)) do
  enter(name)
  expire()
  promote()
  too_late()
  forget()
  local soonest = next_due()
  -- Ends of records are not announced one by one, so look once a minute at least.
  if soonest then
    C('ZADD', P..'tq:due', int(math.min(soonest, US + 60000000)), name)
  elseif C('EXISTS', Q..'classes') == 1 then
    C('ZADD', P..'tq:due', int(US + 60000000), name)
  else
    C('ZREM', P..'tq:due', name)
  end
  if budget <= 0 then break end
end
local head = C('ZRANGE', P..'tq:due', 0, 0, 'WITHSCORES')
return {'OK', moved, head[2] and int(math.max(0, tonumber(head[2]) - US)) or '-1'}
