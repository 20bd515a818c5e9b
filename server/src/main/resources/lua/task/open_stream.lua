-- A worker opened a stream: from now on older streams of the same worker are void.
--
-- ARGV  1 queue, 2 worker
-- Reply {'OK', epoch}
--#include task/queue
enter(ARGV[1])
local worker = ARGV[2]
local key = Q..'w:'..worker
local epoch = int(math.max(tonumber(C('HGET', key, EPOCH) or 0) + 1, US))
C('HSET', key, EPOCH, epoch)
-- Outlives any pause of the stream's heartbeats; the leases inside run out on their own.
C('PEXPIRE', key, 7200000)
C('ZADD', P..'tq:w:'..worker, '0', NAME)
C('PEXPIRE', P..'tq:w:'..worker, '7200000')
C('PUBLISH', P..'bell', 'w\n'..NAME..'\n'..worker..'\n'..epoch)
return {'OK', epoch}
