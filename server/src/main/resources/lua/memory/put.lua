-- Puts items, one after the other; one that is refused changes nothing. Begins the space
-- if it is not there.
--
-- ARGV  1 space, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 most spaces of a
--       partition, 7 settings of a new space, 8 the same in numbers, then for each item: id,
--       content hash, tier, own lifetime us (0: the tier's), importance, source, dimensions
--       of its embedding, tags, attributes (both lists, see tags.lua), encoded MemoryContent,
--       encoded MemoryMerge without its time
-- Reply {'OK', revision, how many items had to go, their ids (64 at most), for each item:
--       {'PUT' | 'MERGED', id, what is said of it} or {'DIMENSION', of the space} or {'FULL'}};
--       {'SPACES'} too many; {'STALE_FENCE', highest}; {'REUSED'}
--#include memory/space
--#include memory/tags
--#include common/request
--#include common/fence
local MOST_TAGS, MOST_MERGES = 64, 16
local answer = replay('PutMemory', ARGV[4], ARGV[5])
if answer then return answer end
local there = enter(ARGV[1])
if not there and is_full(ARGV[6]) then return {'SPACES'} end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
if not there then begin_space(ARGV[7], ARGV[8], 0) end

local put_ids, merged_ids, expired, evicted, rows = {}, {}, {}, {}, {}

local function add_tags(m, tags)
  local has = {}
  for _, tag in ipairs(m[M_TAGS]) do has[tag] = true end
  for _, tag in ipairs(tags) do
    if not has[tag] and #m[M_TAGS] < MOST_TAGS then
      has[tag] = true
      table.insert(m[M_TAGS], tag)
    end
  end
end

local function add_attributes(m, attributes)
  local has, all = {}, m[M_ATTRIBUTES]
  for i = 1, #all, 2 do has[all[i]] = true end
  for i = 1, #attributes, 2 do
    if not has[attributes[i]] and #all < 2 * MOST_TAGS then
      all[#all + 1] = attributes[i]
      all[#all + 1] = attributes[i + 1]
    end
  end
end

-- The later of the ends counts, and the higher tier.
local function prolong(id, m, tier, life)
  local ends = m[M_ENDS]
  if tier > m[M_TIER] then
    m[M_TIER], m[M_LIFE], m[M_HERE] = tier, life, 0
    begin_lifetime(m)
    if m[M_ENDS] > 0 then m[M_ENDS] = math.max(m[M_ENDS], ends) end
  elseif ends > 0 then
    if life > lifetime(m) then m[M_LIFE] = life end
    local wanted = US + (life > 0 and life or space.cfg[CFG_LIFE + tier])
    if wanted > ends then m[M_ENDS], m[M_SINCE] = wanted, US end
  end
  schedule(id, m)
end

local function merge(id, m, item)
  add_tags(m, item.tags)
  add_attributes(m, item.attributes)
  m[M_IMPORTANCE] = math.max(m[M_IMPORTANCE], item.importance)
  if m[M_SOURCE] == '' then m[M_SOURCE] = item.source end
  table.insert(m[M_MERGES], item.merge..pb_time(1, US))
  if #m[M_MERGES] > MOST_MERGES then table.remove(m[M_MERGES], 1) end
  m[M_MERGED], m[M_VERSION], m[M_CHANGED] = m[M_MERGED] + 1, m[M_VERSION] + 1, US
  if m[M_DIMENSION] == 0 and item.dimension > 0 then
    m[M_DIMENSION] = item.dimension
    C('HSET', S..'b', id, item.content)
  end
  prolong(id, m, item.tier, item.life)
  local size = size_of(m, C('HSTRLEN', S..'b', id))
  space.b = space.b + size - m[M_SIZE]
  m[M_SIZE] = size
  rank(id, m)
  keep(id, m, true)
  merged_ids[#merged_ids + 1] = id
end

local function add(item)
  space.c = space.c + 1
  local m = {1, 0, item.tier, US, US, 0, item.life, 0, 0, 0, item.importance, item.hash, 0, item.source,
    item.tags, item.attributes, {}, 0, space.c, US, item.dimension}
  begin_lifetime(m)
  m[M_SIZE] = item.size
  space.n, space.b = space.n + 1, space.b + item.size
  C('HSET', S..'b', item.id, item.content)
  C('HSET', S..'h', item.hash, item.id)
  C('ZADD', S..'o', int(space.c), item.id)
  schedule(item.id, m)
  rank(item.id, m)
  keep(item.id, m, true)
  put_ids[#put_ids + 1] = item.id
  return m
end

local function go(ids, into)
  for _, id in ipairs(ids) do
    local m, stale = load_item(id)
    remove(id, m or stale)
    into[#into + 1] = id
  end
end

local function put(item)
  if item.dimension > 0 and space.d > 0 and item.dimension ~= space.d then
    return {'DIMENSION', int(space.d)}
  end
  local known = C('HGET', S..'h', item.hash)
  local m, stale
  if known then m, stale = load_item(known) end
  if m then
    if item.dimension > 0 then space.d = item.dimension end
    merge(known, m, item)
    return {'MERGED', known, m}
  end
  -- What is past its lifetime goes before it is replaced.
  if stale then go({known}, expired) end
  local old, least = victims(1, item.size)
  if not old then return {'FULL'} end
  if item.dimension > 0 then space.d = item.dimension end
  go(old, expired)
  go(least, evicted)
  return {'PUT', item.id, add(item)}
end

local i = 9
while i <= #ARGV do
  local item = {id = ARGV[i], hash = ARGV[i + 1], tier = tonumber(ARGV[i + 2]), life = tonumber(ARGV[i + 3]),
    importance = tonumber(ARGV[i + 4]), source = ARGV[i + 5], dimension = tonumber(ARGV[i + 6])}
  item.tags, i = list_at(i + 7)
  item.attributes, i = list_at(i)
  item.content, item.merge = ARGV[i], ARGV[i + 1]
  item.size = #item.content + #item.source
  for _, value in ipairs(item.tags) do item.size = item.size + #value end
  for _, value in ipairs(item.attributes) do item.size = item.size + #value end
  rows[#rows + 1] = put(item)
  i = i + 2
end

local function version_of(ids)
  local m = #ids == 1 and items[ids[1]]
  if m then return m[M_TIER], m[M_VERSION], m[M_ENDS] end
  return 0, 0, 0
end
if #expired > 0 then tell('expired', expired, 0, 0, 0) end
if #evicted > 0 then tell('evicted', evicted, 0, 0, 0) end
if #merged_ids > 0 then tell('merged', merged_ids, version_of(merged_ids)) end
if #put_ids > 0 then tell('put', put_ids, version_of(put_ids)) end
settle()
local reply = {'OK', int(space.r), #expired + #evicted, evicted}
for _, row in ipairs(rows) do
  if row[3] then row[3] = pack(row[3]) end
  reply[#reply + 1] = row
end
return remember('PutMemory', ARGV[4], ARGV[5], reply)
