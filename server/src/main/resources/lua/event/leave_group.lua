-- Shows a member out that ended its stream by itself.
--
-- ARGV  1 topic, 2 group, 3 member, 4 session of the stream
-- Reply {'OK'}; {'NO_GROUP'}
--#include event/member
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
if C('HGET', gkey(g, 'x'), ARGV[3]) == ARGV[4] then forget_member(g, ARGV[3]) end
return {'OK'}
