-- Changes a group's settings.
--
-- ARGV  1 topic, 2 group, 3 request id, 4 its digest, 5 the version that the change is
--       made from, 6 encoded settings, 7... names and values of the fields of the group
-- Reply {'OK', see event/group_view}; {'VERSION', current}, {'NO_GROUP'}, {'REUSED'}
--#include event/group_view
--#include common/request
local first = replay('UpdateGroup', ARGV[3], ARGV[4])
if first then return first end
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
if g.ver ~= ARGV[5] then return {'VERSION', g.ver} end
local key = P..'ev:g:'..g.tail
C('HSET', key, 'ver', int(tonumber(g.ver) + 1), 'sn', int(math.max(tonumber(g.sn) + 1, US)),
  'set', ARGV[6], unpack(ARGV, 7))
-- What is parked stays parked until its key is free, and keys are freed as before.
if g['or'] ~= '0' and C('HGET', key, 'or') == '0' and C('EXISTS', gkey(g, 'k')) == 1 then
  C('HSET', key, 'or', '2')
end
-- More may be in flight now, or another filter lets more through.
C('HSET', key, 'fu', '0')
tell_group('group.updated', ARGV[1], ARGV[2], pb_bytes(4, ARGV[6]))
ring_group(g)
g = load_group(ARGV[1], ARGV[2])
return remember('UpdateGroup', ARGV[3], ARGV[4], {'OK', group_view(g, 1000)})
