-- Looks at a group.
--
-- ARGV  1 topic, 2 group
-- Reply {'OK', see event/group_view}; {'NO_GROUP'}
--#include event/group_view
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
return {'OK', group_view(g, 1000)}
