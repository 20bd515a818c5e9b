-- What time brings to topics: events grow too old, and changed settings no longer keep
-- them. At most 64 events a call. Any number of servers may run it.
--
-- Reply {'OK', events looked at, us until there is something to do (-1: nothing known)}
--#include event/topic
local budget = 64

local function older(a, b)
  local a_ms, a_order = string.match(a, '(%d+)%-(%d+)')
  local b_ms, b_order = string.match(b, '(%d+)%-(%d+)')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms < b_ms or (a_ms == b_ms and tonumber(a_order) < tonumber(b_order))
end

-- Events from before a topic was compacted; those since then have put their keys down.
local function compact(t, key, at)
  local keys = P..'ev:k:'..t.name
  local page = C('XRANGE', t.stream, '('..at, '+', 'COUNT', math.min(budget, 16))
  for _, entry in ipairs(page) do
    local id, f, k, bytes = entry[1], entry[2], nil, 0
    for i = 1, #f, 2 do
      if f[i] == 'k' then k = f[i + 1] elseif f[i] == 'd' then bytes = #f[i + 1] end
    end
    local last = k and C('HGET', keys, k)
    local last_id, last_bytes
    if last then last_id, last_bytes = string.match(last, '(%S+) (%d+)') end
    if last and older(id, last_id) then
      C('XDEL', t.stream, id)
      t.kb = t.kb - bytes
    elseif k and last_id ~= id then
      if last and C('XDEL', t.stream, last_id) == 1 then t.kb = t.kb - last_bytes end
      C('HSET', keys, k, id..' '..bytes)
    end
    at = id
  end
  budget = budget - #page
  if #page == 0 then C('HDEL', key, 'cz') else C('HSET', key, 'cz', at) end
  return #page > 0
end

local names = C('ZRANGEBYSCORE', P..'ev:aged', '-inf', int(US), 'LIMIT', 0, 16)
for _, name in ipairs(names) do
  local t = load_topic(name)
  local key = P..'ev:t:'..name
  if not t.ct then
    C('ZREM', P..'ev:aged', name)
  else
    local at = C('HGET', key, 'cz')
    local again = at and compact(t, key, at)
    if budget > 0 then
      local dropped = trim_topic(t, budget)
      again = again or dropped == budget
      budget = budget - dropped
    else
      again = true
    end
    C('HSET', key, 'kb', int(t.kb))
    local first = C('XRANGE', t.stream, '-', '+', 'COUNT', 1)[1]
    if again then
      C('ZADD', P..'ev:aged', int(US), name)
    elseif first then
      C('ZADD', P..'ev:aged', int((string.match(first[1], '%d+') + t.ma) * 1000), name)
    else
      C('ZREM', P..'ev:aged', name)
    end
  end
  if budget <= 0 then break end
end
local head = C('ZRANGE', P..'ev:aged', 0, 0, 'WITHSCORES')
return {'OK', int(64 - budget), head[2] and int(math.max(0, tonumber(head[2]) - US)) or '-1'}
