-- Puts ended tasks back with their counters at zero.
--
-- ARGV  1 queue, 2 state letter X|Z, 3 how many of the oldest, then ids (instead)
-- Reply {'OK', redriven, looked at}
--#include task/queue
local q, state = queue_of(ARGV[1]), ARGV[2]
local ends = q.root..'end:'..state
local ids = {}
if #ARGV > 3 then
  for i = 4, #ARGV do ids[#ids + 1] = ARGV[i] end
else
  ids = C('ZRANGE', ends, 0, math.min(64, tonumber(ARGV[3])) - 1)
end
local redriven = 0
for _, id in ipairs(ids) do
  local v = load_task(q, id)
  if v.st == state then
    local key, h = task_key(q, id), header(v.h)
    C('ZREM', ends, id)
    C('PERSIST', key)
    C('HDEL', key, 'fl', 'lo', 'lw', 'td', 'ft', 'cx')
    C('HSET', key, 'fl', 0)
    -- Another task may hold the dedupe key by now; then this one goes without.
    if h.dedupe ~= '' and h.scope == 2 then C('SET', q.root..'dd:'..h.dedupe, id, 'NX') end
    count(q, ENDED[state], -1)
    put_back(q, id, h, v.sc, 0)
    tell(q, 'redriven', id, 'R')
    redriven = redriven + 1
  elseif not v.st then
    C('ZREM', ends, id)
  end
end
return {'OK', redriven, #ids}
