-- Deletes a topic with its events and groups. Of those 16 a call, then once more.
--
-- ARGV  1 topic, 2 request id, 3 digest, 4 fence name, 5 fence token, 6 version that has
--       to be current ('0': any)
-- Reply {'OK'}; {'MORE'} when it has to be called again; {'NOT_FOUND'};
--       {'VERSION', current}; {'REUSED'}; {'STALE_FENCE', highest}
--#include event/topic
--#include event/end_group
--#include common/request
--#include common/fence
local answer = replay('DeleteTopic', ARGV[2], ARGV[3])
if answer then return answer end
local t = load_topic(ARGV[1])
if not t.ct then return {'NOT_FOUND'} end
if ARGV[6] ~= '0' and ARGV[6] ~= int(t.ver) then return {'VERSION', int(t.ver)} end
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
for _, group in ipairs(C('ZRANGE', P..'ev:gs:'..t.name, 0, 15)) do end_group(t.name, group) end
if C('EXISTS', P..'ev:gs:'..t.name) == 1 then return {'MORE'} end
C('DEL', P..'ev:t:'..t.name)
-- Redis frees what is large beside its other work.
C('UNLINK', t.stream, P..'ev:k:'..t.name)
C('ZREM', P..'ev:topics', t.name)
C('ZREM', P..'ev:aged', t.name)
local id, seq = tell_topic('topic.deleted', t)
-- Who reads what is from before has to hear that something may be missing.
C('SET', P..'ev:deleted', id..' '..int(seq))
return remember('DeleteTopic', ARGV[2], ARGV[3], {'OK'})
