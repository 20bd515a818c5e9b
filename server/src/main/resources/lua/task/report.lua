-- A task as the scripts see it that end its attempts otherwise than with a result.
--#include task/queue
--#include task/ending
local REPORT = {'st', 'tok', 'wk', 'h', 'sc', 'ct', 'rt', 'etok', 'eo', 'es', 'et', 'cx', 'fl'}
local function load_task(id)
  local values, v = C('HMGET', Q..'t:'..id, unpack(REPORT)), {}
  for i, name in ipairs(REPORT) do v[name] = values[i] end
  return v
end

-- Whether the report is from the current attempt. Returns nil if so, else the
-- reply: the first answer again, a conflict, or a refusal.
local function not_current(v, token, outcome)
  if not v.st then return {'NOT_FOUND'} end
  if v.st == 'L' and v.tok == token then return nil end
  if v.etok == token and v.eo == outcome then return {'OK', v.es, v.et or '0'} end
  -- A completion leaves no other trace than the state and the token.
  if v.etok == token or (v.st == 'S' and v.tok == token) then return {'CONFLICT', v.st} end
  return {'STALE', v.st}
end

-- Takes an attempt off the books; what becomes of the task is up to the caller.
local function end_attempt(id, v, counter)
  C('ZREM', Q..'leases', id)
  C('HDEL', Q..'w:'..v.wk, id)
  if C('HEXISTS', Q..'meta', 'maxc') == 1 then ring() end
  C('HINCRBY', Q..'stat', v.cx and 'a_cancelled' or counter, '1')
end
