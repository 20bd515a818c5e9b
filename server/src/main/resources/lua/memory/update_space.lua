-- Writes the settings of a space anew if they are still of the version that the caller read.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 version, 7 encoded
--       SpaceSettings, 8 its own of these, encoded, 9 all in numbers, 10 dimension (0: as it was)
-- Reply {'OK', space row}; {'NO_SPACE'}; {'VERSION', current}; {'DIMENSION', of the space};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/read_space
--#include common/request
--#include common/fence
local answer = replay('UpdateSpace', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local version = C('HGET', S..'s', 'v')
if version ~= ARGV[6] then return {'VERSION', version} end
local dimension = tonumber(ARGV[10])
if dimension > 0 and space.d > 0 and dimension ~= space.d then return {'DIMENSION', int(space.d)} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
if dimension > 0 then space.d = dimension end
C('HSET', S..'s', 'set', ARGV[7], 'own', ARGV[8], 'cfg', pack(parse_settings(ARGV[9])),
  'v', tonumber(version) + 1, 'u', int(US))
tell('space_updated', {}, 0, tonumber(version) + 1, 0)
settle()
-- The quota may be smaller now.
due_at(US)
return remember('UpdateSpace', ARGV[4], ARGV[5], {'OK', space_row()})
