-- Removes tasks that are not running, up to 64 a call.
--
-- ARGV  1 queue, then state letters
-- Reply {'OK', removed, more 0|1}
--#include task/queue
local q, budget, removed = queue_of(ARGV[1]), 64, 0

local function drop(id)
  local v = C('HMGET', task_key(q, id), 'h', 'st')
  if v[1] then
    free_dedupe(q, id, header(v[1]))
    C('ZREM', q.timers, 'q|'..id, 'd|'..id)
    C('DEL', task_key(q, id))
  end
  removed = removed + 1
  budget = budget - 1
end

local function purge_ready()
  for _, signature in ipairs(C('SMEMBERS', q.classes)) do
    for _, fairness in ipairs(C('ZRANGE', q.root..'c:'..signature, 0, budget)) do
      local group = q.root..'r:'..#signature..':'..signature..':'..fairness
      for _, id in ipairs(C('ZRANGE', group, 0, budget - 1)) do
        if budget <= 0 then return end
        remove_ready(q, id, {signature = signature, fairness = fairness})
        drop(id)
        count(q, 'purged', 1)
        tell(q, 'purged', id, 'R')
      end
      if budget <= 0 then return end
    end
  end
end

for i = 2, #ARGV do
  local state = ARGV[i]
  if state == 'R' then
    purge_ready()
  elseif state == 'D' then
    for _, id in ipairs(C('ZRANGE', q.delayed, 0, budget - 1)) do
      C('ZREM', q.delayed, id)
      drop(id)
      count(q, 'purged', 1)
      tell(q, 'purged', id, 'D')
    end
  elseif ENDED[state] then
    local ends = q.root..'end:'..state
    for _, id in ipairs(C('ZRANGE', ends, 0, budget - 1)) do
      C('ZREM', ends, id)
      drop(id)
    end
  end
  if budget <= 0 then return {'OK', removed, 1} end
end
return {'OK', removed, 0}
