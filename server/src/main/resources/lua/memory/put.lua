-- Puts items for one call or several, one after the other; a call that is refused changes
-- nothing, nor does an item that is. Begins a space if it is not there.
--
-- All of them together remove 64 items at most. What needs more is left, with all behind it, to
-- the next script; only for what comes first as many go as may, so that the next has less to do.
--
-- ARGV  1 most spaces of a partition, 2 settings of a new space, 3 the same in numbers, then for
--       each call: space, fence name, fence token, request id, digest, how many items, for each
--       item: id, content hash, tier, own lifetime us (0: the tier's), importance, source,
--       dimensions of its embedding, tags, attributes (both lists, see tags.lua), encoded
--       MemoryContent, encoded MemoryMerge without its time
-- Reply {'OK', for each call one of: {'OK', revision, how many items had to go, ids of those that
--       were evicted, for each item, but for those that are left to the next script: {'PUT' |
--       'MERGED', id, what is said of it} or {'DIMENSION', of the space} or {'FULL'}}; {'SPACES'}
--       too many; {'STALE_FENCE', highest}; {'REUSED'}; or, as the last one, {'LATER', how many
--       items had to go, ids of those that were evicted} when it and those behind it are left}
--#include memory/space
--#include memory/tags
--#include common/request
--#include common/fence
local MOST_TAGS, MOST_MERGES = 64, 16
local put_ids, merged_ids, expired, evicted
-- The spaces that were begun or entered; calls for the same one share what it costs to read and
-- to write it.
local open = {}

local function all_tags(m, tags)
  local has, all = {}, {}
  for _, tag in ipairs(m[M_TAGS]) do has[tag], all[#all + 1] = true, tag end
  for _, tag in ipairs(tags) do
    if not has[tag] and #all < MOST_TAGS then has[tag], all[#all + 1] = true, tag end
  end
  return all
end

local function all_attributes(m, attributes)
  local has, all = {}, {unpack(m[M_ATTRIBUTES])}
  for i = 1, #all, 2 do has[all[i]] = true end
  for i = 1, #attributes, 2 do
    if not has[attributes[i]] and #all < 2 * MOST_TAGS then
      all[#all + 1] = attributes[i]
      all[#all + 1] = attributes[i + 1]
    end
  end
  return all
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

local function go(ids, into)
  for _, id in ipairs(ids) do
    local m, stale = load_item(id)
    remove(id, m or stale)
    into[#into + 1] = id
  end
end

-- Removes what is to go for more items and bytes: nil when there is no room to be made, false when
-- this script may not remove so much; then as much goes as may if it comes `first`.
local function make_room(more_items, more_bytes, but, first)
  local old, least, enough = victims(more_items, more_bytes, but)
  if not old then return nil end
  if enough or first then
    go(old, expired)
    go(least, evicted)
  end
  return enough
end

-- What became of an item; false when it is left to the next script.
local function merge(id, m, item, first)
  local tags, attributes = all_tags(m, item.tags), all_attributes(m, item.attributes)
  local source = m[M_SOURCE] == '' and item.source or m[M_SOURCE]
  local merges = {unpack(m[M_MERGES])}
  merges[#merges + 1] = item.merge..pb_time(1, US)
  if #merges > MOST_MERGES then table.remove(merges, 1) end
  local embeds = m[M_DIMENSION] == 0 and item.dimension > 0
  local content = embeds and #item.content or C('HSTRLEN', S..'b', id)
  local size = size_of(content, source, tags, attributes, merges)
  local room = make_room(0, math.max(0, size - m[M_SIZE]), id, first)
  if not room then return room == nil and {'FULL'} end
  if item.dimension > 0 then space.d = item.dimension end
  if embeds then
    m[M_DIMENSION] = item.dimension
    C('HSET', S..'b', id, item.content)
  end
  m[M_TAGS], m[M_ATTRIBUTES], m[M_SOURCE], m[M_MERGES] = tags, attributes, source, merges
  m[M_IMPORTANCE] = math.max(m[M_IMPORTANCE], item.importance)
  m[M_MERGED], m[M_VERSION], m[M_CHANGED] = m[M_MERGED] + 1, m[M_VERSION] + 1, US
  prolong(id, m, item.tier, item.life)
  space.b = space.b + size - m[M_SIZE]
  m[M_SIZE] = size
  rank(id, m)
  keep(id, m, true)
  merged_ids[#merged_ids + 1] = id
  return {'MERGED', id, m}
end

local function add(item, size)
  space.c = space.c + 1
  local m = {1, 0, item.tier, US, US, 0, item.life, 0, 0, 0, item.importance, item.hash, size, item.source,
    item.tags, item.attributes, {}, 0, space.c, US, item.dimension}
  begin_lifetime(m)
  space.n, space.b = space.n + 1, space.b + size
  C('HSET', S..'b', item.id, item.content)
  C('HSET', S..'h', item.hash, item.id)
  C('ZADD', S..'o', int(space.c), item.id)
  schedule(item.id, m)
  rank(item.id, m)
  keep(item.id, m, true)
  put_ids[#put_ids + 1] = item.id
  return m
end

local function put(item, first)
  if item.dimension > 0 and space.d > 0 and item.dimension ~= space.d then
    return {'DIMENSION', int(space.d)}
  end
  local known = C('HGET', S..'h', item.hash)
  local m, stale
  if known then m, stale = load_item(known) end
  if m then return merge(known, m, item, first) end
  -- What is past its lifetime goes before it is replaced.
  if stale then go({known}, expired) end
  local size = size_of(#item.content, item.source, item.tags, item.attributes, {})
  local room = make_room(1, size, nil, first)
  if not room then return room == nil and {'FULL'} end
  if item.dimension > 0 then space.d = item.dimension end
  return {'PUT', item.id, add(item, size)}
end

local function item_at(i)
  local item = {id = ARGV[i], hash = ARGV[i + 1], tier = tonumber(ARGV[i + 2]), life = tonumber(ARGV[i + 3]),
    importance = tonumber(ARGV[i + 4]), source = ARGV[i + 5], dimension = tonumber(ARGV[i + 6])}
  item.tags, i = list_at(i + 7)
  item.attributes, i = list_at(i)
  item.content, item.merge = ARGV[i], ARGV[i + 1]
  return item, i + 2
end

local function version_of(ids)
  local m = #ids == 1 and items[ids[1]]
  if m then return m[M_TIER], m[M_VERSION], m[M_ENDS] end
  return 0, 0, 0
end

-- What was removed so far counts on.
local function work_on(name)
  local one, so_far = open[name], removed or 0
  local there = true
  if one then
    S, NAME, space, items, written = one.S, name, one.space, one.items, one.written
  else
    there = enter(name)
  end
  removed = so_far
  return there
end

local function answer(name, fence, token, request_id, digest, wanted, first)
  local before = replay('PutMemory', request_id, digest)
  if before then return before end
  local there = work_on(name)
  if not there and is_full(ARGV[1]) then return {'SPACES'} end
  local highest = stale_fence(fence, token)
  if highest then return {'STALE_FENCE', highest} end
  if not there then begin_space(ARGV[2], '', ARGV[3], 0) end
  open[name] = {S = S, space = space, items = items, written = written}
  put_ids, merged_ids, expired, evicted = {}, {}, {}, {}
  local rows = {}
  for i, item in ipairs(wanted) do
    local row = put(item, first and i == 1)
    if not row then break end
    rows[i] = row
  end
  if #expired > 0 then tell('expired', expired, 0, 0, 0) end
  if #evicted > 0 then tell('evicted', evicted, 0, 0, 0) end
  if #merged_ids > 0 then tell('merged', merged_ids, version_of(merged_ids)) end
  if #put_ids > 0 then tell('put', put_ids, version_of(put_ids)) end
  append_events()
  if #rows == 0 then return {'LATER', #expired + #evicted, evicted} end
  local reply = {'OK', int(space.r), #expired + #evicted, evicted}
  for _, row in ipairs(rows) do
    if row[3] then row[3] = pack(row[3]) end
    reply[#reply + 1] = row
  end
  return remember('PutMemory', request_id, digest, reply)
end

local reply, at = {'OK'}, 4
while at <= #ARGV do
  local call, wanted = at, {}
  at = call + 6
  for k = 1, tonumber(ARGV[call + 5]) do wanted[k], at = item_at(at) end
  local one = answer(ARGV[call], ARGV[call + 1], ARGV[call + 2], ARGV[call + 3], ARGV[call + 4], wanted, call == 4)
  reply[#reply + 1] = one
  if one[1] == 'LATER' then break end
end
for name in pairs(open) do
  work_on(name)
  write_items()
  write_counters()
end
return reply
