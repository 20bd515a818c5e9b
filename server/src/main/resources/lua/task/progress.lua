-- Notes progress and a checkpoint; extends the lease and restarts the stall timer.
--
-- ARGV  1 queue, 2 task, 3 token, 4 progress (Protobuf), 5 checkpoint ('' keeps
--       the last), 6 fraction, 7 message
-- Reply {'OK', cancel requested 0|1}; {'NOT_FOUND'}; {'STALE', state}
--#include task/lease_end
--#include task/tell
--#include common/protobuf_time
enter(ARGV[1])
local id = ARGV[2]
local key = Q..'t:'..id
local v = C('HMGET', key, 'st', 'tok', 'cx', 'h', 'bt', 'td', 'wk')
if not v[1] then return {'NOT_FOUND'} end
if v[1] ~= 'L' or v[2] ~= ARGV[3] then return {'STALE', v[1]} end
-- The server knows not the clock of Redis: the time of the progress is added here.
C('HSET', key, 'pr', ARGV[4]..pb_time(3, US), 'ak', ARGV[3])
if ARGV[5] ~= '' then C('HSET', key, 'ck', ARGV[5]) end
local stall = struct.unpack('>d', v[4], 19)
if stall > 0 then
  stall = int(US + stall)
  C('HSET', key, 'sd', stall)
else
  stall = nil
end
C('ZADD', Q..'leases', 'XX', 'GT', int(lease_end(v[4], '0', v[5], stall, v[6])), id)
tell('progressed', id, 'L', ARGV[3], v[7], ARGV[7],
  string.char(8 * 8 + 1)..struct.pack('<d', tonumber(ARGV[6])))
return {'OK', v[3] and 1 or 0}
