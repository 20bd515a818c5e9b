-- Changes some of a topic's settings.
--
-- ARGV  1 topic, 2 request id, 3 digest, 4 fence name, 5 fence token, 6 version that has
--       to be current ('0': any), then fields of ev:t: and their values
-- Reply {'OK', what event/describe says}; {'NOT_FOUND'}; {'VERSION', current};
--       {'REUSED'}; {'STALE_FENCE', highest}
--#include event/describe
--#include event/settings
--#include common/request
--#include common/fence
local answer = replay('UpdateTopic', ARGV[2], ARGV[3])
if answer then return answer end
local t = load_topic(ARGV[1])
if not t.ct then return {'NOT_FOUND'} end
if ARGV[6] ~= '0' and ARGV[6] ~= int(t.ver) then return {'VERSION', int(t.ver)} end
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
C('HINCRBY', P..'ev:t:'..t.name, 'ver', '1')
t = write_settings(t, ARGV, 7)
tell_topic('topic.updated', t)
return remember('UpdateTopic', ARGV[2], ARGV[3], {'OK', describe(t)})
