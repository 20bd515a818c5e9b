-- READY tasks: into and out of their groups.
--#include task/queue
--#include task/header
-- Once per queue is enough.
local rung
local function ring()
  if rung ~= NAME then
    rung = NAME
    C('PUBLISH', P..'bell', 'r\n'..NAME)
  end
end

local function group_key(signature, fairness)
  return Q..'r:'..#signature..':'..signature..':'..fairness
end

-- A class or group that was empty and no longer is has to be told: whoever
-- found it empty is asleep until then.
local function make_ready(id, score, signature, fairness)
  C('ZADD', group_key(signature, fairness), score, id)
  local class = Q..'c:'..signature
  if not C('ZSCORE', class, fairness) then
    local vt = tonumber(C('HGET', Q..'meta', 'vt') or 0)
    local own = tonumber(C('ZSCORE', Q..'vt', fairness) or 0)
    -- The same key may be served under other signatures already.
    C('ZADD', class, math.max(vt, own), fairness)
    C('SADD', Q..'classes', signature)
    ring()
  end
end

-- Forgets a group that ran empty, but not how much it was served: a key that
-- comes and goes must not be served more than one that stays.
local function close_group(signature, fairness, vt)
  local class, idle = Q..'c:'..signature, Q..'vt'
  C('ZREM', class, fairness)
  if C('EXISTS', class) == 0 then
    C('SREM', Q..'classes', signature)
    if C('EXISTS', Q..'classes') == 0 then
      -- Nobody waits, so nobody can be served out of turn.
      C('DEL', idle)
      return
    end
  end
  C('ZADD', idle, vt, fairness)
  C('ZREMRANGEBYSCORE', idle, '-inf', C('HGET', Q..'meta', 'vt') or 0)
  C('ZREMRANGEBYRANK', idle, 0, -10001)
end

local function remove_ready(id, signature, fairness)
  local group = group_key(signature, fairness)
  if C('ZREM', group, id) == 1 and C('EXISTS', group) == 0 then
    close_group(signature, fairness, C('ZSCORE', Q..'c:'..signature, fairness) or 0)
  end
end
