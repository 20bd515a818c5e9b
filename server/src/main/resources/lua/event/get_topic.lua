-- Tells of a topic; read only.
--
-- ARGV  1 topic
-- Reply {'OK', what event/describe says}; {'NOT_FOUND'}
--#include event/describe
local t = load_topic(ARGV[1])
if not t.ct then return {'NOT_FOUND'} end
return {'OK', describe(t)}
