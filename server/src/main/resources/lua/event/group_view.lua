-- What GetGroup tells.
--#include event/group
-- {name, settings, version, created, position, lag, in flight, waiting, acknowledged,
-- dead, redelivered, members: id, last seen us, in flight to it}
local function group_view(g, most_members)
  local v = C('HMGET', P..'ev:g:'..g.tail, 'set', 'ct')
  local members = {}
  if most_members > 0 then
    local seen = C('ZREVRANGE', gkey(g, 'm'), 0, most_members - 1, 'WITHSCORES')
    for i = 1, #seen, 2 do
      members[#members + 1] = seen[i]
      members[#members + 1] = seen[i + 1]
      members[#members + 1] = C('HGET', gkey(g, 'o'), seen[i]) or '0'
    end
  end
  return {g.name, v[1], g.ver, v[2], int(g.q), int(lag_of(g)),
    C('ZCARD', gkey(g, 'd')), C('ZCARD', gkey(g, 'r')) + C('ZCARD', gkey(g, 'p')),
    int(g.ak), int(g.dd), int(g.rr), members}
end
local function tell_group(kind, topic, name, more)
  emit('troupe.topics', kind, topic, pb_bytes(1, topic)..pb_bytes(2, name)..(more or ''))
end
