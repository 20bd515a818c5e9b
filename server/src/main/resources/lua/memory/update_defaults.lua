-- Writes what the namespace says anew, in its first partition, if it is still of the version that
-- the caller read. The spaces of this partition are ruled by it from now on.
--
-- ARGV  1 fence name, 2 fence token, 3 request id, 4 digest, 5 version (0: never set), 6 encoded
--       SpaceSettings, 7 the same in numbers
-- Reply {'OK', as in get_defaults}; {'VERSION', current}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/defaults
--#include common/request
--#include common/fence
local answer = replay('UpdateMemoryDefaults', ARGV[3], ARGV[4])
if answer then return answer end
local row = defaults_row()
if row[1] ~= ARGV[5] then return {'VERSION', row[1]} end
local highest = stale_fence(ARGV[1], ARGV[2])
if highest then return {'STALE_FENCE', highest} end
write_defaults(int(tonumber(row[1]) + 1), int(math.max(US, tonumber(row[2]) + 1)), ARGV[6], ARGV[7])
return remember('UpdateMemoryDefaults', ARGV[3], ARGV[4], {'OK', defaults_row()})
