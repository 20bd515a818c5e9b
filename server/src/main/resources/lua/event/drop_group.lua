-- Takes a group away with all that it has.
--#include event/group
local function drop_group(topic, name)
  local g = {tail = group_tail(topic, name)}
  for _, kind in ipairs({'', 'd', 'r', 'e', 'k', 'p', 'm', 'x', 'o', 'z', 'y'}) do
    C('UNLINK', gkey(g, kind))
  end
  C('ZREM', P..'ev:gs:'..topic, name)
  C('ZREM', P..'ev:gw', g.tail)
  emit('troupe.topics', 'group.deleted', topic, pb_bytes(1, topic)..pb_bytes(2, name))
  ring_group({topic = topic, name = name})
end
