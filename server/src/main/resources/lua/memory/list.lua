-- Finds items that match, in the order of puts: looks at 512 at most, or at so many that
-- what matches passes a number of bytes.
--
-- ARGV  1 space, 2 number after which to go on, 3 how many, 4 bytes, 5 '1' with what they are
--       about, then the filter
-- Reply {'OK', last number looked at ('' at the end), for each: id, what is said of it,
--       encoded MemoryContent}; {'NO_SPACE'}
--#include memory/space
--#include memory/filter
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local want, bytes, matches = tonumber(ARGV[3]), tonumber(ARGV[4]), filter_at(6)
local page = C('ZRANGEBYSCORE', S..'o', '('..ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, 512)
local reply, last = {'OK', ''}, ''
for i = 1, #page, 2 do
  if want == 0 or bytes <= 0 then break end
  last = page[i + 1]
  local m = load_item(page[i])
  if m and matches(m) then
    local body = ARGV[5] == '1' and C('HGET', S..'b', page[i]) or ''
    reply[#reply + 1] = page[i]
    reply[#reply + 1] = pack(m)
    reply[#reply + 1] = body
    want, bytes = want - 1, bytes - #body - 1000
  end
end
if want == 0 or bytes <= 0 or #page == 1024 then reply[2] = last end
return reply
