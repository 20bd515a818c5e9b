-- Reads a queue's settings and counters, and no task.
--
-- ARGV  1 queue
-- Reply {'OK', {mode, settings}, {counter, value...}, delayed, leased, age of
--       the oldest head us ('' when none is READY)}; {'NOT_FOUND', 'QUEUE'}
--#include task/ready
enter(ARGV[1])
local meta = C('HMGET', Q..'meta', 'ct', 'mode', 'cfg', 'granted')
if not meta[1] then return {'NOT_FOUND', 'QUEUE'} end
local oldest = nil
for _, signature in ipairs(C('SMEMBERS', Q..'classes')) do
  for _, fairness in ipairs(C('ZRANGE', Q..'c:'..signature, 0, 15)) do
    local head = C('ZRANGE', group_key(signature, fairness), 0, 0)
    local created = head[1] and C('HGET', Q..'t:'..head[1], 'ct')
    if created then oldest = math.min(oldest or tonumber(created), tonumber(created)) end
  end
end
local counters = C('HGETALL', Q..'stat')
local delayed, leased = C('ZCARD', Q..'delayed'), C('ZCARD', Q..'leases')
-- Every task is in one state, so READY ones need no counter of their own.
local ready, succeeded = -delayed - leased, 0
for i = 1, #counters, 2 do
  local counter, value = counters[i], tonumber(counters[i + 1])
  if counter == 'enqueued' then
    ready = ready + value
  elseif string.sub(counter, 1, 2) ~= 'a_' then
    ready = ready - value
  end
  if counter == 'succeeded' then succeeded = value end
end
for counter, value in pairs({ready = ready, granted = meta[4] or '0', a_completed = succeeded}) do
  counters[#counters + 1] = counter
  counters[#counters + 1] = value
end
return {'OK', {meta[2] or 'A', meta[3] or ''}, counters, delayed, leased,
  oldest and int(math.max(0, US - oldest)) or ''}
