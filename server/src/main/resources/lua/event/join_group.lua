-- Lets a member's stream into a group; an older one of the same member is over.
--
-- ARGV  1 topic, 2 group, 3 member
-- Reply {'OK', session, sn, settings}; {'NO_GROUP'}
--#include event/group
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
local last = tonumber(C('HGET', gkey(g, 'x'), ARGV[3]) or 0)
local session = int(math.max(last + 1, US))
C('HSET', gkey(g, 'x'), ARGV[3], session)
C('ZADD', gkey(g, 'm'), int(US), ARGV[3])
look_at(g, US + g.mt)
if last > 0 then C('PUBLISH', P..'bell', 'gj\n'..ARGV[1]..'\n'..ARGV[2]..'\n'..ARGV[3]..'\n'..session) end
return {'OK', session, g.sn, C('HGET', P..'ev:g:'..g.tail, 'set')}
