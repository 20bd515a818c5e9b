-- Creates a group, and its topic if there is none. The same settings again change nothing.
--
-- ARGV  1 topic, 2 group, 3 request id, 4 its digest, 5 kind of the start, 6 its value,
--       7 encoded settings, 8... names and values of the fields of the group
-- Reply {'OK', see event/group_view, 1 when the topic is new else 0}; {'EXISTS'},
--       {'LIMIT'}, {'REUSED'}
--#include event/group_view
--#include event/group_start
--#include common/request
local first = replay('CreateGroup', ARGV[3], ARGV[4])
if first then return first end
local g = load_group(ARGV[1], ARGV[2])
if g then
  if C('HGET', P..'ev:g:'..g.tail, 'set') ~= ARGV[7] then return {'EXISTS'} end
  return remember('CreateGroup', ARGV[3], ARGV[4], {'OK', group_view(g, 1000), 0})
end
local t = load_topic(ARGV[1])
local new = t.ct and 0 or 1
if not open_topic(t) then return {'LIMIT'} end
local pos, q = group_start(t, ARGV[5], ARGV[6])
C('HSET', P..'ev:g:'..group_tail(ARGV[1], ARGV[2]), 'gen', int(US), 'ct', int(US), 'ver', '1', 'sn', int(US),
  'pos', pos, 'q', int(q), 'tok', int(US), 'set', ARGV[7], unpack(ARGV, 8))
C('ZADD', P..'ev:gs:'..ARGV[1], 0, ARGV[2])
tell_group('group.created', ARGV[1], ARGV[2], pb_bytes(4, ARGV[7]))
g = load_group(ARGV[1], ARGV[2])
return remember('CreateGroup', ARGV[3], ARGV[4], {'OK', group_view(g, 0), new})
