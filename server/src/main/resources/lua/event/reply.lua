-- Hands a reply to those who wait for it: the first one counts.
--
-- ARGV  1 digest of the correlation id, 2 correlation id, 3 the reply, encoded, 4 '1' when
--       it has no time of its own, 5 its id, 6 fence name, 7 fence token
-- Reply {'OK', '1' when it is in time, else '0': nothing was changed};
--       {'STALE_FENCE', highest}
--#include common/log
--#include common/protobuf_time
--#include common/fence
local key = P..'ev:r:'..ARGV[1]
local highest = stale_fence(ARGV[6], ARGV[7])
if highest then return {'STALE_FENCE', highest} end
local due, id = unpack(C('HMGET', key, 'due', 'id'))
if id then return {'OK', id == ARGV[5] and '1' or '0'} end
if not due or tonumber(due) < US then return {'OK', '0'} end
local reply = ARGV[3]
if ARGV[4] == '1' then reply = reply..pb_time(5, US) end
C('HSET', key, 'r', reply, 'id', ARGV[5])
emit('troupe.replies', 'reply.sent', ARGV[2], '')
return {'OK', '1'}
