-- Moves an item to another tier; its lifetime begins anew.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 id, 7 version ('0':
--       any), 8 tier, 9 own lifetime us (0: the tier's)
-- Reply {'OK', revision, what is said of it}; {'NO_SPACE'}; {'NO_ITEM'}; {'VERSION', current};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/space
--#include common/request
--#include common/fence
local answer = replay('PromoteMemory', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local id = ARGV[6]
local m = load_item(id)
if not m then return {'NO_ITEM'} end
if ARGV[7] ~= '0' and int(m[M_VERSION]) ~= ARGV[7] then return {'VERSION', int(m[M_VERSION])} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
m[M_TIER], m[M_LIFE], m[M_HERE] = tonumber(ARGV[8]), tonumber(ARGV[9]), 0
m[M_VERSION], m[M_CHANGED] = m[M_VERSION] + 1, US
begin_lifetime(m)
schedule(id, m)
rank(id, m)
keep(id, m, true)
tell('promoted', {id}, m[M_TIER], m[M_VERSION], m[M_ENDS])
settle()
return remember('PromoteMemory', ARGV[4], ARGV[5], {'OK', int(space.r), pack(m)})
