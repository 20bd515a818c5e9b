-- What becomes of a task whose attempt ended without a result.
--#include task/report
--#include task/ready
--#include task/tell
-- Puts a task back to be leased again, in its old place, now or later.
local function put_back(id, v, wait)
  local key = Q..'t:'..id
  if wait > 0 then
    C('HSET', key, 'st', 'D', 'ra', int(US + wait))
    C('ZADD', Q..'delayed', int(US + wait), id)
    look_at(US + wait)
    return 'D'
  end
  C('HSET', key, 'st', 'R')
  make_ready(id, v.sc or v.ct, group_of(v.h))
  return 'R'
end

-- A cancelled task ends with its attempt, however that ended.
local function end_cancelled(id, v)
  end_task(id, v.h, 'C', v.rt)
  tell('cancelled', id, 'C', v.tok, v.wk, v.cx)
end

-- Counts a failure and decides what follows. `chance` in [0, 1) draws the wait
-- (full jitter); `retry_after` in us, or -1 for the policy's back-off.
local function fail_attempt(id, v, kind, final, retry_after, chance, failure)
  end_attempt(id, v, 'a_failed')
  local failures = C('HINCRBY', Q..'t:'..id, 'fl', '1')
  C('HSET', Q..'t:'..id, 'e', failure)
  if v.cx then
    end_cancelled(id, v)
    return 'C', 0
  end
  local _, _, _, _, _, _, most, first, cap, fatal = struct.unpack('>Hc0Hc0Hc0dBdHddHc0', v.h, 44)
  if most == 0 then
    local d = C('HMGET', Q..'meta', 'rmax', 'rini', 'rcap', 'rnr')
    most, first, cap, fatal = tonumber(d[1] or 5), tonumber(d[2] or 1000000),
      tonumber(d[3] or 600000000), d[4] or ''
  end
  if failures >= most or final or string.find('\n'..fatal..'\n', '\n'..kind..'\n', 1, true) then
    end_task(id, v.h, 'X', v.rt)
    tell('dead', id, 'X', v.tok, v.wk, kind)
    return 'X', 0
  end
  local wait = retry_after
  if wait < 0 then wait = math.floor(chance * math.min(cap, first * 2 ^ math.min(failures - 1, 50))) end
  local state = put_back(id, v, wait)
  tell('failed', id, state, v.tok, v.wk, kind)
  return state, wait > 0 and US + wait or 0
end

-- Gives an attempt back without counting it against the task.
local function release_attempt(id, v, wait, reason)
  end_attempt(id, v, 'a_released')
  if v.cx then
    end_cancelled(id, v)
    return 'C'
  end
  C('HINCRBY', Q..'t:'..id, 're', '1')
  local state = put_back(id, v, wait)
  tell('released', id, state, v.tok, v.wk, reason)
  return state
end
