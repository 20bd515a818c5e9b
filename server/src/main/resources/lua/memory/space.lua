-- A memory space: its keys, and the moves that several scripts share. A script works on
-- the space that it entered; sweep.lua enters one after the other.
--
-- me:names    ZSET  score 0: the spaces of this partition
-- me:due      ZSET  space -> when the sweeper has to look at it next, us
-- me:gone     LIST  '<bytes>:<space>:<generation>' of deleted spaces whose conversations
--                   are not removed yet; me:gc:<the same> ZSET has their names
-- me:def      HASH  what the namespace says where a space does not, see defaults.lua
-- me:<bytes>:<space>:
--   s         HASH  g generation (when it was created, us), v version of its settings,
--                   u when they last changed, us, own encoded SpaceSettings as far as the
--                   space has its own, set the same completed by a server's, cfg what scripts
--                   need of these, packed as CFG_* say, d dimension (0: not fixed), c items
--                   ever put, n items, b bytes of these and of conversations, t bytes of
--                   conversations, r revision
--   m         HASH  item id -> what is said of the item, packed as M_* say
--   b         HASH  item id -> encoded MemoryContent
--   h         HASH  content hash -> item id
--   o         ZSET  item id -> its number, in the order of puts
--   x         ZSET  item id -> when it is to be announced or removed, us; none if PINNED
--   q         ZSET  item id -> place in the order of eviction: 2 bits tier, 10 bits
--                   importance, 41 bits milliseconds since 2020
--   cx, cn    ZSET  conversations: score 0, by name; -> when they end, us
--   t:<generation>:<conversation>  HASH, see conversation.lua
--
-- A revision is the sequence in the partition's log of a change. All changes of one script
-- have the revision of the last of them.
--#include common/log
--#include common/protobuf_time
local SHORT, WORKING, LONG, PINNED = 1, 2, 3, 4
-- Most items that one script removes.
local MOST_MOVES = 64

-- What is said of an item: version, revision, tier, put us, changed us, ends us (0: never),
-- own lifetime us (0: the tier's), reads, last read us, reads in this tier, importance,
-- content hash, bytes, source, tags, attributes one after the other, merges, how many there
-- were, number, since when its lifetime counts us, dimensions of its embedding.
local M_VERSION, M_REVISION, M_TIER, M_MADE, M_CHANGED, M_ENDS, M_LIFE = 1, 2, 3, 4, 5, 6, 7
local M_READS, M_READ, M_HERE, M_IMPORTANCE, M_HASH, M_SIZE, M_SOURCE = 8, 9, 10, 11, 12, 13, 14
local M_TAGS, M_ATTRIBUTES, M_MERGES, M_MERGED, M_NUMBER, M_SINCE = 15, 16, 17, 18, 19, 20
local M_DIMENSION = 21

-- Of the settings: for each tier its lifetime us, then for each the lead of its
-- consolidation us, 1 if reads refresh, for each tier the reads that promote (0: none), for
-- each where to, most items, most bytes, lifetime of conversations us; which of these are
-- the space's own, a bit for each from the lowest (not there: all, as in spaces that began
-- before namespaces could say anything).
local CFG_LIFE, CFG_LEAD, CFG_REFRESH, CFG_READS, CFG_TO = 0, 3, 7, 7, 10
local CFG_ITEMS, CFG_BYTES, CFG_TALK, CFG_OWN = 14, 15, 16, 17

-- The kind of a MemoryChange.
local KINDS = {put = 1, merged = 2, updated = 3, promoted = 4, refreshed = 5, forgotten = 6,
  expired = 7, evicted = 8, expiring = 9, space_created = 10, space_updated = 11,
  space_deleted = 12, turns_appended = 13, summary_set = 14, conversation_deleted = 15}

local pack, unpack_one = cmsgpack.pack, cmsgpack.unpack
local S, NAME, space
local items, written, events, removed

-- What a space does not say itself is as its namespace says.
local function inherit()
  local own = space.cfg[CFG_OWN]
  if not own then return end
  local packed = C('HGET', P..'me:def', 'cfg')
  if not packed then return end
  for i, value in ipairs(unpack_one(packed)) do
    if value >= 0 and bit.band(own, bit.lshift(1, i - 1)) == 0 then space.cfg[i] = value end
  end
end

-- Makes a space the one that is worked on; false when there is none.
local function enter(name)
  S, NAME = P..'me:'..#name..':'..name..':', name
  items, written, events, removed = {}, {}, {}, 0
  local f = C('HMGET', S..'s', 'g', 'cfg', 'd', 'c', 'n', 'b', 'r')
  if not f[1] then
    space = nil
    return false
  end
  space = {g = f[1], cfg = unpack_one(f[2]), d = tonumber(f[3]), c = tonumber(f[4]),
    n = tonumber(f[5]), b = tonumber(f[6]), r = tonumber(f[7])}
  inherit()
  return true
end

-- What happened, appended by append_events().
local function tell(kind, ids, tier, version, expire, more)
  local parts = {pb_int(1, KINDS[kind]), pb_bytes(2, NAME)}
  for _, id in ipairs(ids) do parts[#parts + 1] = pb_bytes(3, id) end
  parts[#parts + 1] = pb_int(4, tier)..pb_int(5, version)
  if expire > 0 then parts[#parts + 1] = pb_time(6, expire) end
  events[#events + 1] = {kind, table.concat(parts)..(more or '')}
end

local function parse_settings(text)
  local cfg = {}
  for number in string.gmatch(text, '%-?%d+') do cfg[#cfg + 1] = tonumber(number) end
  return cfg
end

-- Begins a space; `settings` and what it has of its `own` are encoded, `text` has the numbers
-- of CFG_*.
local function begin_space(settings, own, text, dimension)
  space = {g = int(US), cfg = parse_settings(text), d = dimension, c = 0, n = 0, b = 0, r = 0}
  C('HSET', S..'s', 'g', space.g, 'v', 1, 'u', space.g, 'set', settings, 'own', own,
    'cfg', pack(space.cfg), 'd', int(dimension), 'c', 0, 'n', 0, 'b', 0, 't', 0, 'r', 0)
  inherit()
  C('ZADD', P..'me:names', 0, NAME)
  tell('space_created', {}, 0, 0, 0)
end

local function is_full(most_spaces)
  return C('ZCARD', P..'me:names') >= tonumber(most_spaces)
end

-- An item; nil when there is none, or when it is past its lifetime: then it is to be
-- removed, which `stale` says.
local function load_item(id)
  local m = items[id]
  if m == nil then
    local packed = C('HGET', S..'m', id)
    m = packed and unpack_one(packed) or false
    items[id] = m
  end
  if not m then return nil end
  if m[M_ENDS] > 0 and m[M_ENDS] <= US then return nil, m end
  return m
end

local function keep(id, m, changed)
  items[id] = m
  written[id] = changed or written[id] or false
end

local function lifetime(m)
  if m[M_TIER] == PINNED then return 0 end
  return m[M_LIFE] > 0 and m[M_LIFE] or space.cfg[CFG_LIFE + m[M_TIER]]
end

-- Has the sweeper look at this space in time.
local function due_at(us)
  C('ZADD', P..'me:due', 'LT', int(us), NAME)
end

-- Puts an item where time finds it: first for its announcement, then for its end.
local function schedule(id, m)
  if m[M_ENDS] == 0 then
    C('ZREM', S..'x', id)
    return
  end
  local at, lead = m[M_ENDS], space.cfg[CFG_LEAD + m[M_TIER]]
  if lead > 0 then at = math.max(US, at - lead) end
  C('ZADD', S..'x', int(at), id)
  due_at(at)
end

local function begin_lifetime(m)
  local life = lifetime(m)
  m[M_SINCE], m[M_ENDS] = US, life > 0 and US + life or 0
end

local function rank(id, m)
  local used = math.floor(math.max(m[M_READ], m[M_CHANGED]) / 1000) - 1577836800000
  local importance = math.floor(m[M_IMPORTANCE] * 1000 + 0.5)
  C('ZADD', S..'q', int(((m[M_TIER] - 1) * 1024 + importance) * 2199023255552 + used), id)
end

-- What an item takes whose content has so many bytes.
local function size_of(content, source, tags, attributes, merges)
  local size = content + #source
  for _, list in ipairs({tags, attributes, merges}) do
    for _, value in ipairs(list) do size = size + #value end
  end
  return size
end

local function remove(id, m)
  C('HDEL', S..'m', id)
  C('HDEL', S..'b', id)
  if C('HGET', S..'h', m[M_HASH]) == id then C('HDEL', S..'h', m[M_HASH]) end
  C('ZREM', S..'o', id)
  C('ZREM', S..'x', id)
  C('ZREM', S..'q', id)
  space.n, space.b = space.n - 1, space.b - m[M_SIZE]
  items[id], written[id] = false, nil
  removed = removed + 1
end

local function remove_all(ids, kind)
  if #ids == 0 then return end
  for _, id in ipairs(ids) do
    local m, stale = load_item(id)
    remove(id, m or stale)
  end
  tell(kind, ids, 0, 0, 0)
end

-- Whether so much would not fit beside what never goes: turns and pinned items. It looks at
-- some of these only, so that it does not take long.
local function never_fits(more_items, more_bytes)
  local pinned = int((PINNED - 1) * 1024 * 2199023255552)
  if C('ZCOUNT', S..'q', pinned, '+inf') + more_items > space.cfg[CFG_ITEMS] then return true end
  local stays = tonumber(C('HGET', S..'s', 't') or 0) + more_bytes
  for _, id in ipairs(C('ZRANGEBYSCORE', S..'q', pinned, '+inf', 'LIMIT', 0, MOST_MOVES)) do
    local m = load_item(id)
    if m then stays = stays + m[M_SIZE] end
  end
  return stays > space.cfg[CFG_BYTES]
end

-- Makes room for more items and bytes, never by removing `but`: returns the items that are
-- to go, first those past their lifetime, and whether these are enough. If not, there may be
-- more to go in another step. Nil when there is no room to be made.
local function victims(more_items, more_bytes, but)
  local over_items = space.n + more_items - space.cfg[CFG_ITEMS]
  local over_bytes = space.b + more_bytes - space.cfg[CFG_BYTES]
  if over_items <= 0 and over_bytes <= 0 then return {}, {}, true end
  local stale, evicted, seen = {}, {}, {}
  local function take(id, m, into)
    seen[id] = true
    into[#into + 1] = id
    over_items, over_bytes = over_items - 1, over_bytes - m[M_SIZE]
  end
  local function enough() return over_items <= 0 and over_bytes <= 0 end
  local room = math.max(0, MOST_MOVES - removed)
  for _, id in ipairs(C('ZRANGEBYSCORE', S..'x', '-inf', int(US), 'LIMIT', 0, room)) do
    if enough() then break end
    local _, over = load_item(id)
    if over and id ~= but then take(id, over, stale) end
  end
  if enough() then return stale, evicted, true end
  local least = C('ZRANGE', S..'q', 0, room)
  local all = #least <= room
  for _, id in ipairs(least) do
    local m, over = load_item(id)
    if m and m[M_TIER] == PINNED then
      all = true
      break
    end
    if (m or over) and id ~= but and not seen[id] and #stale + #evicted < room then
      take(id, m or over, m and evicted or stale)
    end
    if enough() then return stale, evicted, true end
  end
  -- By our own doing there is always one to go then; whoever calls again must not do so for ever.
  if all or (room > 0 and #stale + #evicted == 0) then return nil end
  if never_fits(more_items, more_bytes) then return nil end
  return stale, evicted, false
end

-- Appends what happened, which gives what was changed its revision; false when nothing did.
local function append_events()
  if #events == 0 then return false end
  space.r = take_sequence(#events)
  local seq = space.r - #events
  for i, e in ipairs(events) do append(seq + i, 'troupe.memory', 'memory.'..e[1], NAME, e[2]) end
  for id, changed in pairs(written) do
    if changed then
      items[id][M_REVISION] = space.r
      written[id] = false
    end
  end
  events = {}
  return true
end

local function write_items()
  for id in pairs(written) do C('HSET', S..'m', id, pack(items[id])) end
end

local function write_counters()
  C('HSET', S..'s', 'd', int(space.d), 'c', int(space.c), 'n', int(space.n), 'b', int(space.b),
    'r', int(space.r))
end

-- Appends what happened, writes what was changed, and keeps the counters.
local function settle()
  local happened = append_events()
  write_items()
  if happened then write_counters() end
end
