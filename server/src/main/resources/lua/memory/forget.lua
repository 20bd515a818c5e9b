-- Forgets items by their ids, 64 at most.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, then ids
-- Reply {'OK', revision, id of each that was there}; {'NO_SPACE'}; {'STALE_FENCE', highest};
--       {'REUSED'}
--#include memory/space
--#include common/request
--#include common/fence
local answer = replay('ForgetMemories', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local ids, stale_ids = {}, {}
for i = 6, #ARGV do
  local m, stale = load_item(ARGV[i])
  if m then
    ids[#ids + 1] = ARGV[i]
  elseif stale then
    stale_ids[#stale_ids + 1] = ARGV[i]
  end
end
remove_all(stale_ids, 'expired')
remove_all(ids, 'forgotten')
settle()
return remember('ForgetMemories', ARGV[4], ARGV[5], {'OK', int(space.r), unpack(ids)})
