-- READY tasks: into their groups.
--#include task/bell
--#include task/header
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
