-- READY tasks that leave their groups.
--#include task/ready
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
