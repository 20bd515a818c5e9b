-- Deletes a space; Redis frees what it had in the background, and the sweeper removes its
-- conversations, which nobody finds any more.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest
-- Reply {'OK', 1 if it was there, items, revision}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/space
--#include common/request
--#include common/fence
local answer = replay('DeleteSpace', ARGV[4], ARGV[5])
if answer then return answer end
local there = enter(ARGV[1])
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
if not there then return remember('DeleteSpace', ARGV[4], ARGV[5], {'OK', 0, 0, 0}) end
tell('space_deleted', {}, 0, 0, 0)
settle()
if C('EXISTS', S..'cx') == 1 then
  local gone = #NAME..':'..NAME..':'..space.g
  C('RENAME', S..'cx', P..'me:gc:'..gone)
  C('RPUSH', P..'me:gone', gone)
end
C('UNLINK', S..'s', S..'m', S..'b', S..'h', S..'o', S..'x', S..'q', S..'cn')
C('ZREM', P..'me:names', NAME)
C('ZREM', P..'me:due', NAME)
return remember('DeleteSpace', ARGV[4], ARGV[5], {'OK', 1, int(space.n), int(space.r)})
