-- Says that somebody waits for a reply, and whether it has come.
--
-- ev:r:<digest>  HASH  of a correlation id: dg = digest of the request that waits,
--                      due = until when, us; r = the reply, encoded, once it is there.
--                      Kept for 10 minutes after `due`.
--
-- ARGV  1 digest of the correlation id, 2 digest of the request, 3 how long it waits, ms;
--       0 only looks
-- Reply {'OK', due, reply or ''}; {'REUSED'} when another request waits under it;
--       {'NOT_FOUND'} when nobody does
--#include common/prelude
local key = P..'ev:r:'..ARGV[1]
local digest, due, reply = unpack(C('HMGET', key, 'dg', 'due', 'r'))
if digest and digest ~= ARGV[2] then return {'REUSED'} end
local wait = tonumber(ARGV[3])
if wait == 0 then
  return digest and {'OK', due, reply or ''} or {'NOT_FOUND'}
end
-- A repeat waits anew, but what was told to others stays true.
if not reply then
  due = int(math.max(tonumber(due or 0), US + wait * 1000))
  C('HSET', key, 'dg', ARGV[2], 'due', due)
  C('PEXPIREAT', key, int(math.floor(due / 1000) + 600000))
end
return {'OK', due, reply or ''}
