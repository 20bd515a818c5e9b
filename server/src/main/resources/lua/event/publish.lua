-- Appends an event to the log, once for each (topic, source, id) in 10 minutes.
--
-- ev:<digest>  STRING  "<stream id> <sequence> <epoch>" of an event published,
--              kept for 10 minutes; the digest is that of topic, source and id
--
-- ARGV  1 topic, 2 type, 3 subject, 4 digest, 5 encoded event, 6 '1' when the
--       event has no time of its own, 7 fence name, 8 fence token
-- Reply {'OK', '1' for a duplicate, "<stream id> <sequence> <epoch>"};
--       {'STALE_FENCE', highest}
--#include common/log
--#include common/protobuf_time
--#include common/fence
local key = P..'ev:'..ARGV[4]
local first = C('GET', key)
if first then return {'OK', '1', first} end
local highest = stale_fence(ARGV[7], ARGV[8])
if highest then return {'STALE_FENCE', highest} end

local event = ARGV[5]
if ARGV[6] == '1' then event = event..pb_time(5, US) end
local id, seq = emit(ARGV[1], ARGV[2], ARGV[3], event)
local place = id..' '..int(seq)..' '..C('HGET', P..'head', 'epoch')
C('SET', key, place, 'PX', 600000)
return {'OK', '0', place}
