-- Marks agents LOST that were silent for their lease, and forgets ended ones past
-- their retention; at most 64 of each a call. Any number of servers may run it.
--
-- ARGV  1 retention us
-- Reply {'OK', moved, us until something is due (-1: nothing known)}
--#include agent/agent
local moved = 0
for _, id in ipairs(C('ZRANGEBYSCORE', P..'ag:deadline', '-inf', int(US), 'LIMIT', 0, 64)) do
  local a = load_agent(id)
  if a then
    end_session(id, a, LOST, tonumber(ARGV[1]), 'lost')
    tell('lost', id, a, 'silent for its lease')
  else
    C('ZREM', P..'ag:deadline', id)
  end
  moved = moved + 1
end
for _, id in ipairs(C('ZRANGEBYSCORE', P..'ag:gone', '-inf', int(US), 'LIMIT', 0, 64)) do
  local a = load_agent(id)
  if a then
    unindex(id, a)
    tally(a, -1)
    C('ZREM', P..'ag:made', made_entry(id, a))
  end
  C('DEL', agent_key(id))
  C('ZREM', P..'ag:gone', id)
  C('ZREM', P..'ag:all', id)
  moved = moved + 1
end
local soonest = nil
for _, key in ipairs({'ag:deadline', 'ag:gone'}) do
  local head = C('ZRANGE', P..key, 0, 0, 'WITHSCORES')
  if head[2] then soonest = math.min(soonest or tonumber(head[2]), tonumber(head[2])) end
end
return {'OK', moved, soonest and int(math.max(0, soonest - US)) or '-1'}
