-- Removes tasks that are not running, up to 64 a call.
--
-- ARGV  1 queue, then state letters
-- Reply {'OK', removed, more 0|1}
--#include task/ending
--#include task/unready
--#include task/tell
enter(ARGV[1])
local budget, removed = 64, 0

local function drop(id)
  local key = Q..'t:'..id
  local header = C('HGET', key, 'h')
  if header then
    local _, dedupe = claims_of(header)
    free_dedupe(id, dedupe)
    C('ZREM', Q..'timers', 'q|'..id, 'd|'..id)
    C('DEL', key)
  end
  removed = removed + 1
  budget = budget - 1
end

local function purge_ready()
  for _, signature in ipairs(C('SMEMBERS', Q..'classes')) do
    for _, fairness in ipairs(C('ZRANGE', Q..'c:'..signature, 0, budget)) do
      for _, id in ipairs(C('ZRANGE', group_key(signature, fairness), 0, budget - 1)) do
        if budget <= 0 then return end
        remove_ready(id, signature, fairness)
        drop(id)
        C('HINCRBY', Q..'stat', 'purged', '1')
        tell('purged', id, 'R')
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
    for _, id in ipairs(C('ZRANGE', Q..'delayed', 0, budget - 1)) do
      C('ZREM', Q..'delayed', id)
      drop(id)
      C('HINCRBY', Q..'stat', 'purged', '1')
      tell('purged', id, 'D')
    end
  elseif ENDED[state] then
    local ends = Q..'end:'..state
    for _, id in ipairs(C('ZRANGE', ends, 0, budget - 1)) do
      C('ZREM', ends, id)
      drop(id)
    end
  end
  if budget <= 0 then return {'OK', removed, 1} end
end
return {'OK', removed, 0}
