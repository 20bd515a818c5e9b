-- Creates a space.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 most spaces of a
--       partition, 7 encoded SpaceSettings, 8 its own of these, encoded, 9 all in numbers,
--       10 dimension (0: not fixed)
-- Reply {'OK', space row}; {'SPACE_EXISTS'}; {'SPACES'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/read_space
--#include common/request
--#include common/fence
local answer = replay('CreateSpace', ARGV[4], ARGV[5])
if answer then return answer end
if enter(ARGV[1]) then return {'SPACE_EXISTS'} end
if is_full(ARGV[6]) then return {'SPACES'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
begin_space(ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10]))
settle()
return remember('CreateSpace', ARGV[4], ARGV[5], {'OK', space_row()})
