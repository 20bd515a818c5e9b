-- The end of a consumer group with all that it has in flight.
--#include event/group
local function end_group(topic, name)
  local g = {tail = group_tail(topic, name)}
  for _, kind in ipairs({'', 'd', 'r', 'e', 'k', 'p', 'm', 'x', 'o', 'z', 'y'}) do
    -- Redis frees what is large beside its other work.
    C('UNLINK', kind == '' and P..'ev:g:'..g.tail or gkey(g, kind))
  end
  C('ZREM', P..'ev:gs:'..topic, name)
  C('ZREM', P..'ev:gw', g.tail)
  emit('troupe.topics', 'group.deleted', topic, pb_bytes(1, topic)..pb_bytes(2, name))
  ring_group({topic = topic, name = name})
end
