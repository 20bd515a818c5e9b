-- Does what time brings to groups: deadlines pass, members fall silent.
--
-- Reply {'OK', '1' when there is more to do at once, in how many us there will be; -1
--       when nothing is known of}
--#include event/member
local most, moved = 64, 0
local due = C('ZRANGEBYSCORE', P..'ev:gw', '-inf', int(US), 'LIMIT', 0, 16)
for _, tail in ipairs(due) do
  local bytes = tonumber(string.match(tail, '^(%d+):'))
  local topic = string.sub(tail, #int(bytes) + 2, #int(bytes) + 1 + bytes)
  local g = load_group(topic, string.sub(tail, #int(bytes) + 3 + bytes))
  if not g then
    C('ZREM', P..'ev:gw', tail)
  else
    moved = moved + expire(g, most)
    save_group(g)
    if g.ready then ring_group(g) end
    local silent = C('ZRANGEBYSCORE', gkey(g, 'm'), '-inf', int(US - g.mt), 'LIMIT', 0, most)
    for _, member in ipairs(silent) do forget_member(g, member) end
    moved = moved + #silent
    local next = math.huge
    local deadline = C('ZRANGE', gkey(g, 'd'), 0, 0, 'WITHSCORES')[2]
    if deadline then next = tonumber(deadline) end
    local oldest = C('ZRANGE', gkey(g, 'm'), 0, 0, 'WITHSCORES')[2]
    if oldest then next = math.min(next, tonumber(oldest) + g.mt) end
    if next == math.huge then
      C('ZREM', P..'ev:gw', tail)
    else
      C('ZADD', P..'ev:gw', int(next), tail)
    end
    if moved >= most then return {'OK', '1', '0'} end
  end
end
local first = C('ZRANGE', P..'ev:gw', 0, 0, 'WITHSCORES')[2]
return {'OK', #due == 16 and '1' or '0', first and int(math.max(0, tonumber(first) - US)) or '-1'}
