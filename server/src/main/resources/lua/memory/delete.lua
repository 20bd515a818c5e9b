-- Deletes items that match, in the order of puts: one step, which looks at 512 items and
-- deletes 64 at most.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id of this step, 5 digest, 6 number
--       after which to go on, 7 number up to which to go ('' for all that are there now), 8 how
--       many to delete, then the filter
-- Reply {'OK', revision, deleted, last number looked at ('' at the end), number up to which to
--       go}; {'NO_SPACE'}; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/space
--#include memory/filter
--#include common/request
--#include common/fence
local answer = replay('DeleteMemories', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local want, matches = math.min(MOST_MOVES, tonumber(ARGV[8])), filter_at(9)
local up_to = ARGV[7] == '' and int(space.c) or ARGV[7]
local page = C('ZRANGEBYSCORE', S..'o', '('..ARGV[6], up_to, 'WITHSCORES', 'LIMIT', 0, 512)
local ids, stale_ids, last = {}, {}, ''
for i = 1, #page, 2 do
  if #ids + #stale_ids == want then break end
  last = page[i + 1]
  local m, stale = load_item(page[i])
  if m and matches(m) then
    ids[#ids + 1] = page[i]
  elseif stale then
    stale_ids[#stale_ids + 1] = page[i]
  end
end
remove_all(stale_ids, 'expired')
remove_all(ids, 'forgotten')
settle()
if #ids + #stale_ids < want and #page < 1024 then last = '' end
return remember('DeleteMemories', ARGV[4], ARGV[5], {'OK', int(space.r), #ids, last, up_to})
