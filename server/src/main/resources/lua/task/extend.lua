-- Extends leases; the first extension of an attempt also says that it arrived.
--
-- ARGV  1 queue, 2 worker and 3 its epoch ('' and 0: of no stream), then per
--       attempt: task, token, us from now (0: the task's own)
-- Reply {'OK', {code, until us}...} with code 1 extended, 2 extended and cancel
--       requested, 0 stale, -1 not found; {'REPLACED'}
--#include task/queue
local q, worker, epoch = queue_of(ARGV[1]), ARGV[2], ARGV[3]
if epoch ~= '0' then
  if C('HGET', q.root..'w:'..worker, EPOCH) ~= epoch then return {'REPLACED'} end
  C('PEXPIRE', q.root..'w:'..worker, 7200000)
end
local reply = {'OK'}
for i = 4, #ARGV, 3 do
  local id = ARGV[i]
  local key = task_key(q, id)
  local v = C('HMGET', key, 'st', 'tok', 'cx', 'h', 'ad', 'sd', 'td', 'ak')
  if not v[1] then
    reply[#reply + 1] = {-1, '0'}
  elseif v[1] ~= 'L' or v[2] ~= ARGV[i + 1] then
    reply[#reply + 1] = {0, '0'}
  else
    local own = tonumber(ARGV[i + 2])
    if own == 0 then own = header(v[4]).lease end
    C('ZADD', q.leases, 'XX', 'GT', int(lease_until(US + own, v[5], v[6], v[7])), id)
    if v[8] == '0' then C('HSET', key, 'ak', '1') end
    if epoch ~= '0' then C('HSET', q.root..'w:'..worker, id, ARGV[i + 1]..'|'..epoch) end
    reply[#reply + 1] = {v[3] and 2 or 1, C('ZSCORE', q.leases, id)}
  end
end
return reply
