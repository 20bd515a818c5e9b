-- Forgets a member; what is in flight to it stays so until its deadline.
--#include event/group_view
local function forget_member(g, member)
  C('ZREM', gkey(g, 'm'), member)
  C('HDEL', gkey(g, 'x'), member)
  tell_group('group.member_removed', g.topic, g.name, pb_bytes(5, member))
end
