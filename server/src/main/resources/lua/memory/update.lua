-- Writes an item anew if it is still of the version that the caller read.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 id, 7 version, 8 content
--       hash, 9 importance, 10 source, 11 own lifetime us, which begins anew (0: the tier's; '':
--       as it was), 12 dimensions of its embedding, then tags and attributes (lists, see
--       tags.lua), encoded MemoryContent
-- Reply {'OK', revision, what is said of it}; {'NO_SPACE'}; {'NO_ITEM'}; {'VERSION', current};
--       {'EXISTS', id of the item with this content}; {'DIMENSION', of the space}; {'FULL'};
--       {'MORE', ids of items that were evicted} when it has to be called again, as more have to
--       go; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/space
--#include memory/tags
--#include common/request
--#include common/fence
local answer = replay('UpdateMemory', ARGV[4], ARGV[5])
if answer then return answer end
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local id, hash, dimension = ARGV[6], ARGV[8], tonumber(ARGV[12])
local m = load_item(id)
if not m then return {'NO_ITEM'} end
if int(m[M_VERSION]) ~= ARGV[7] then return {'VERSION', int(m[M_VERSION])} end
if dimension > 0 and space.d > 0 and dimension ~= space.d then return {'DIMENSION', int(space.d)} end
local stale
if hash ~= m[M_HASH] then
  local other = C('HGET', S..'h', hash)
  if other then
    local there, over = load_item(other)
    if there then return {'EXISTS', other} end
    if over then stale = other end
  end
end
local tags, i = list_at(13)
local attributes, at = list_at(i)
local content = ARGV[at]
local size = size_of(#content, ARGV[10], tags, attributes, m[M_MERGES])
local old, least, enough = victims(0, math.max(0, size - m[M_SIZE]), id)
if not old then return {'FULL'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end

local expired = {}
for _, one in ipairs(old) do expired[#expired + 1] = one ~= stale and one or nil end
if stale then expired[#expired + 1] = stale end
remove_all(expired, 'expired')
remove_all(least, 'evicted')
if not enough then
  settle()
  return {'MORE', least}
end
if hash ~= m[M_HASH] then
  C('HDEL', S..'h', m[M_HASH])
  C('HSET', S..'h', hash, id)
end
if dimension > 0 then space.d = dimension end
C('HSET', S..'b', id, content)
m[M_HASH], m[M_IMPORTANCE], m[M_SOURCE], m[M_DIMENSION] = hash, tonumber(ARGV[9]), ARGV[10], dimension
m[M_TAGS], m[M_ATTRIBUTES] = tags, attributes
space.b = space.b + size - m[M_SIZE]
m[M_SIZE], m[M_VERSION], m[M_CHANGED] = size, m[M_VERSION] + 1, US
if ARGV[11] ~= '' and m[M_TIER] ~= PINNED then
  m[M_LIFE] = tonumber(ARGV[11])
  begin_lifetime(m)
  schedule(id, m)
end
rank(id, m)
keep(id, m, true)
tell('updated', {id}, m[M_TIER], m[M_VERSION], m[M_ENDS])
settle()
return remember('UpdateMemory', ARGV[4], ARGV[5], {'OK', int(space.r), pack(m)})
