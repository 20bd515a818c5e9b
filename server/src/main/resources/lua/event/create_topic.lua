-- Makes a topic.
--
-- ARGV  1 topic, 2 request id, 3 digest, 4 fence name, 5 fence token, then fields of
--       ev:t: and their values
-- Reply {'OK', what event/describe says}; {'EXISTS'}; {'LIMIT'}; {'REUSED'};
--       {'STALE_FENCE', highest}
--#include event/describe
--#include event/settings
--#include common/request
--#include common/fence
local answer = replay('CreateTopic', ARGV[2], ARGV[3])
if answer then return answer end
local t = load_topic(ARGV[1])
if t.ct then return {'EXISTS'} end
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
if C('ZCARD', P..'ev:topics') >= 100000 then return {'LIMIT'} end
t = write_settings(t, ARGV, 6)
open_topic(t)
return remember('CreateTopic', ARGV[2], ARGV[3], {'OK', describe(t)})
