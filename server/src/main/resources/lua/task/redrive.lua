-- Puts ended tasks back with their counters at zero.
--
-- ARGV  1 queue, 2 state letter X|Z, 3 how many of the oldest, then ids (instead)
-- Reply {'OK', redriven, looked at}
--#include task/retry
enter(ARGV[1])
local state = ARGV[2]
local ends = Q..'end:'..state
local ids = {}
if #ARGV > 3 then
  for i = 4, #ARGV do ids[#ids + 1] = ARGV[i] end
else
  ids = C('ZRANGE', ends, 0, math.min(64, tonumber(ARGV[3])) - 1)
end
local redriven = 0
for _, id in ipairs(ids) do
  local v = load_task(id)
  if v.st == state then
    local key = Q..'t:'..id
    local scope, dedupe = claims_of(v.h)
    C('ZREM', ends, id)
    C('PERSIST', key)
    C('HDEL', key, 'fl', 'lo', 'lw', 'td', 'ft', 'cx')
    C('HSET', key, 'fl', 0)
    -- Another task may hold the dedupe key by now; then this one goes without.
    if dedupe ~= '' and scope == 2 then C('SET', Q..'dd:'..dedupe, id, 'NX') end
    C('HINCRBY', Q..'stat', ENDED[state], -1)
    put_back(id, v, 0)
    tell('redriven', id, 'R')
    redriven = redriven + 1
  elseif not v.st then
    C('ZREM', ends, id)
  end
end
return {'OK', redriven, #ids}
