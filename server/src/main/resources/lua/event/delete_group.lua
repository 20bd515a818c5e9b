-- Deletes a group with what it has in flight.
--
-- ARGV  1 topic, 2 group, 3 request id, 4 its digest
-- Reply {'OK'}; {'NO_GROUP'}, {'REUSED'}
--#include event/end_group
--#include common/request
local first = replay('DeleteGroup', ARGV[3], ARGV[4])
if first then return first end
if C('EXISTS', P..'ev:g:'..group_tail(ARGV[1], ARGV[2])) == 0 then return {'NO_GROUP'} end
end_group(ARGV[1], ARGV[2])
return remember('DeleteGroup', ARGV[3], ARGV[4], {'OK'})
