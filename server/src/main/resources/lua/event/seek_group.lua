-- Moves a group; what it has in flight is forgotten.
--
-- ARGV  1 topic, 2 group, 3 request id, 4 its digest, 5 kind of the place, 6 its value
-- Reply {'OK', see event/group_view}; {'NO_GROUP'}, {'REUSED'}
--#include event/group_view
--#include event/group_start
--#include common/request
local first = replay('SeekGroup', ARGV[3], ARGV[4])
if first then return first end
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
local pos, q = group_start(load_topic(ARGV[1]), ARGV[5], ARGV[6])
for _, kind in ipairs({'d', 'r', 'e', 'k', 'p', 'o'}) do C('UNLINK', gkey(g, kind)) end
g.tok = math.max(g.tok + 1, US)
C('HSET', P..'ev:g:'..g.tail, 'pos', pos, 'q', int(q), 'gen', int(g.tok), 'tok', int(g.tok), 'fu', '0')
tell_group('group.moved', ARGV[1], ARGV[2])
ring_group(g)
g = load_group(ARGV[1], ARGV[2])
return remember('SeekGroup', ARGV[3], ARGV[4], {'OK', group_view(g, 1000)})
