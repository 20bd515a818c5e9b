-- Reads items for an index, as they are: by ids, or a page in the order of puts. About a MiB
-- at a time, and one item at least.
--
-- ARGV  1 space, 2 number after which to go on, 3 how many; or 1 space, 2 'ids', then ids
-- Reply {'OK', generation, encoded SpaceSettings, dimension, items of the space, now us, where to
--       go on ('' at the end): last number looked at, or how many of the ids were; as
--       one packed array for each item: id, what is said of it, encoded MemoryContent; sequence
--       and id of the newest entry of the log}; {'NO_SPACE'}. Packed, as a client takes one
--       string apart for less than thousands.
--#include memory/space
--#include log/ends
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local reply = {'OK', space.g, C('HGET', S..'s', 'set'), int(space.d), int(space.n), int(US), ''}
local by_ids = ARGV[2] == 'ids'
local ids, page = {}, {}
if by_ids then
  for i = 3, #ARGV do ids[#ids + 1] = ARGV[i] end
else
  page = C('ZRANGEBYSCORE', S..'o', '('..ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
  for i = 1, #page, 2 do ids[#ids + 1] = page[i] end
end
local rows, looked, bytes, n, size = {}, 0, 0, 0, 8
while looked < #ids and bytes < 1048576 do
  local some = {unpack(ids, looked + 1, math.min(looked + size, #ids))}
  local said, bodies = C('HMGET', S..'m', unpack(some)), C('HMGET', S..'b', unpack(some))
  for i, id in ipairs(some) do
    if said[i] and bodies[i] then
      rows[n + 1], rows[n + 2], rows[n + 3] = id, said[i], bodies[i]
      n, bytes = n + 3, bytes + #said[i] + #bodies[i]
    end
  end
  looked = looked + #some
  -- The larger they are, the fewer are read at a time.
  size = math.max(4, math.min(128, math.floor(262144 * looked / (bytes + 1))))
end
if by_ids then
  if looked < #ids then reply[7] = int(looked) end
elseif looked < #ids or #ids == tonumber(ARGV[3]) then
  reply[7] = page[2 * looked]
end
reply[8] = cmsgpack.pack(rows)
-- The entry itself is mostly small; what tells the id without it tells the first entry too.
local newest = C('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
reply[9], reply[10] = C('HGET', P..'head', 'seq') or 0, newest and newest[1] or last_id(KEYS[1])
return reply
