-- Reads items for an index, as they are: by ids, or a page in the order of puts.
--
-- ARGV  1 space, 2 number after which to go on, 3 how many; or 1 space, 2 'ids', then ids
-- Reply {'OK', generation, encoded SpaceSettings, dimension, items of the space, now us, last
--       number looked at ('' at the end), for each item: id, what is said of it, encoded
--       MemoryContent}; {'NO_SPACE'}
--#include memory/space
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local reply = {'OK', space.g, C('HGET', S..'s', 'set'), int(space.d), int(space.n), int(US), ''}
local ids = {}
if ARGV[2] == 'ids' then
  for i = 3, #ARGV do ids[#ids + 1] = ARGV[i] end
else
  local page = C('ZRANGEBYSCORE', S..'o', '('..ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
  for i = 1, #page, 2 do ids[#ids + 1] = page[i] end
  if #ids == tonumber(ARGV[3]) then reply[7] = page[#page] end
end
if #ids > 0 then
  local said, bodies = C('HMGET', S..'m', unpack(ids)), C('HMGET', S..'b', unpack(ids))
  local n = #reply
  for i, id in ipairs(ids) do
    if said[i] and bodies[i] then
      reply[n + 1], reply[n + 2], reply[n + 3] = id, said[i], bodies[i]
      n = n + 3
    end
  end
end
return reply
