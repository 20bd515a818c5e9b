-- Extends leases; the first extension of an attempt also says that it arrived.
--
-- ARGV  1 queue, 2 worker and 3 its epoch ('' and 0: of no stream), then per
--       attempt: task, token, us from now (0: the task's own)
-- Reply {'OK', {code, until us}...} with code 1 extended, 2 extended and cancel
--       requested, 0 stale, -1 not found; {'REPLACED'}
--#include task/queue
--#include task/lease_end
enter(ARGV[1])
local epoch = ARGV[3]
local held = Q..'w:'..ARGV[2]
if epoch ~= '0' then
  if C('HGET', held, EPOCH) ~= epoch then return {'REPLACED'} end
  C('PEXPIRE', held, '7200000')
  C('PEXPIRE', P..'tq:w:'..ARGV[2], '7200000')
end

local function extend(id, token, own)
  local key = Q..'t:'..id
  local v = C('HMGET', key, 'st', 'tok', 'cx', 'h', 'bt', 'sd', 'td', 'ak')
  if not v[1] then return {-1, '0'} end
  if v[1] ~= 'L' or v[2] ~= token then return {0, '0'} end
  local ends = int(lease_end(v[4], own, v[5], v[6], v[7]))
  -- Never shortened; then it stays what it was.
  if C('ZADD', Q..'leases', 'XX', 'GT', 'CH', ends, id) == 0 then
    ends = C('ZSCORE', Q..'leases', id)
  end
  if v[8] ~= token then C('HSET', key, 'ak', token) end
  if epoch ~= '0' then
    local holder = token..'|'..epoch
    -- An older stream of the worker may have taken it.
    if C('HGET', held, id) ~= holder then C('HSET', held, id, holder) end
  end
  return {v[3] and 2 or 1, ends}
end

local reply = {'OK'}
for i = 4, #ARGV, 3 do reply[#reply + 1] = extend(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return reply
