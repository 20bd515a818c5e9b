-- Reads a queue's settings and counters, and no task.
--
-- ARGV  1 queue
-- Reply {'OK', {mode, settings}, {counter, value...}, delayed, leased, age of
--       the oldest head us ('' when none is READY)}; {'NOT_FOUND', 'QUEUE'}
--#include task/queue
local q = queue_of(ARGV[1])
local meta = C('HMGET', q.meta, 'ct', 'mode', 'cfg')
if not meta[1] then return {'NOT_FOUND', 'QUEUE'} end
local oldest = nil
for _, signature in ipairs(C('SMEMBERS', q.classes)) do
  for _, fairness in ipairs(C('ZRANGE', q.root..'c:'..signature, 0, 15)) do
    local head = C('ZRANGE', q.root..'r:'..#signature..':'..signature..':'..fairness, 0, 0)
    local created = head[1] and C('HGET', task_key(q, head[1]), 'ct')
    if created then oldest = math.min(oldest or tonumber(created), tonumber(created)) end
  end
end
return {'OK', {meta[2] or 'A', meta[3] or ''}, C('HGETALL', q.stat), C('ZCARD', q.delayed),
  C('ZCARD', q.leases), oldest and int(math.max(0, US - oldest)) or ''}
