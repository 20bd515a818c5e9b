-- Delivers events of a group: those due once more, then new ones.
--
-- Of a group with a filter the new ones come in two steps. First they are only shown, as
-- candidates; the server evaluates them, and with the next call says up to where it did
-- and which of them match. If somebody else was faster meanwhile, it has been in vain. So
-- nothing is written about an event before it is known whether the group wants it.
--
-- ARGV  1 topic, 2 group, 3 sn of the settings that the caller has, 4 request id,
--       5 its digest, 6 whom each delivery goes to: indexes of members, with spaces
--       between; 7 how many members follow, 8... each with its id and session ('0' for
--       none), then, when candidates were evaluated: sn of the settings, the
--       position they follow, id and topic position of the last one, and of each that
--       matches id, topic position, s and key
-- Reply {'OK', now us, sn, settings or '', more: '1' when there may be more at once,
--       when the next is due us or '', lag or '', indexes of members that were replaced,
--       deliveries: member, q, token, attempt, due us, id, s, event or '' for a
--       candidate; position that the candidates follow, candidates: id, q, s, key, event;
--       generation};
--       {'NO_GROUP'}, {'REUSED'}
--#include event/group
--#include common/request
local PAGE_BYTES = 1048576
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
-- What was delivered before the group was moved is void, so that a repeat is a new request.
local request = ARGV[4] == '' and '' or ARGV[4]..'/'..g.gen
local first = replay('PullEvents', request, ARGV[5])
if first then
  if first[1] == 'REUSED' then return first end
  -- The events were not kept with the answer.
  local again = {}
  for _, row in ipairs(first) do
    local r = {row[6]}
    if row[8] then r[9], r[10] = row[7], row[8] end
    local s, d = event_of(g, r)
    if d then
      for i = 1, 6 do again[#again + 1] = row[i] end
      again[#again + 1], again[#again + 2] = s, d
    end
  end
  return {'OK', int(US), g.sn, '', '0', '', '', {}, again, '', {}, g.gen}
end

local members, replaced, away = {}, {}, {}
local at = 8 + 2 * tonumber(ARGV[7])
local seen, ids = {}, {}
for i = 8, at - 1, 2 do
  members[#members + 1] = ARGV[i]
  if ARGV[i + 1] ~= '0' then push(ids, ARGV[i]) end
end
local sessions = {}
if #ids > 0 then
  for i, session in ipairs(C('HMGET', gkey(g, 'x'), unpack(ids))) do sessions[ids[i]] = session end
end
for i, member in ipairs(members) do
  local session = ARGV[6 + 2 * i + 1]
  if session ~= '0' and sessions[member] ~= session then
    replaced[#replaced + 1] = i
    away[i] = true
  else
    push(seen, int(US), member)
  end
end
if #seen == 0 and #members > 0 then
  return {'OK', int(US), g.sn, '', '0', '', '', replaced, {}, '', {}, g.gen}
end
if #seen > 0 then C('ZADD', gkey(g, 'm'), unpack(seen)) end

local slots = {}
for index in string.gmatch(ARGV[6], '%d+') do
  local i = tonumber(index)
  if not away[i] then slots[#slots + 1] = i end
end
local more = expire(g, 64) == 64
-- Some of them may be delivered at once.
save_group(g)
local room = math.min(#slots, g.mo - C('ZCARD', gkey(g, 'd')))
local full = room < #slots
local rows, kept, bytes, used = {}, {}, 0, 0
local function deliver(q, r, s, d)
  used = used + 1
  local slot = slots[used]
  g.tok = math.max(g.tok + 1, US)
  r[2], r[3], r[4], r[6], r[7] = r[2] + 1, g.tok, members[slot], US, 'f'
  push(g.records, q, cmsgpack.pack(r))
  push(g.flying, int(US + g.dl), q)
  count(g, r[4], 1)
  if r[2] > 1 then g.rr = g.rr + 1 end
  g.changed = true
  bytes = bytes + #d
  local row = {slot, q, int(g.tok), r[2], int(US + g.dl), r[1], s, d}
  for i = 1, 8 do rows[#rows + 1] = row[i] end
  if ARGV[4] ~= '' then
    row[8] = r[10] or false
    kept[#kept + 1] = row
  end
end

if room > 0 then
  local due = C('ZRANGEBYSCORE', gkey(g, 'r'), '-inf', int(US), 'LIMIT', 0, room)
  if #due > 0 then
    for i, packed in ipairs(C('HMGET', gkey(g, 'e'), unpack(due))) do
      if bytes >= PAGE_BYTES then
        more = true
        break
      end
      local q, r = due[i], cmsgpack.unpack(packed)
      local s, d = event_of(g, r)
      push(g.served, q)
      if d then
        deliver(q, r, s, d)
      else
        -- Trimmed or compacted meanwhile: there is nothing left to deliver.
        g.ak = g.ak + 1
        end_event(g, q, r)
        more = true
      end
    end
  end
end

local parked = g.ordered and C('ZCARD', gkey(g, 'p')) or 0
-- An event that was not looked at before: to a member, or behind others of its key.
local function meet(id, q, s, key, d)
  g.pos, g.q, g.changed = id, tonumber(q), true
  local r = {id, 0, 0, '', key, 0, 'w', {}}
  if g.ordered and key ~= '' then
    if C('HSETNX', gkey(g, 'k'), key, q) == 0 then
      C('ZADD', gkey(g, 'p'), 0, key..'\0'..string.format('%016d', tonumber(q)))
      push(g.records, q, cmsgpack.pack(r))
      parked = parked + 1
      return
    end
  end
  deliver(q, r, s, d)
end
local function has_place()
  if used >= room or bytes >= PAGE_BYTES then return false end
  if parked < g.mo then return true end
  full = true
  return false
end
local function fields(f)
  local q, s, d, k = nil, nil, nil, ''
  for i = 1, #f, 2 do
    local name = f[i]
    if name == 'q' then q = f[i + 1]
    elseif name == 's' then s = f[i + 1]
    elseif name == 'd' then d = f[i + 1]
    elseif name == 'k' then k = f[i + 1] end
  end
  return q, s, d, k
end

local follows, candidates = '', {}
if g.fl ~= '1' then
  local scanned, size = 0, 16
  while has_place() and scanned < 256 do
    local page = C('XRANGE', g.stream, '('..g.pos, '+', 'COUNT', math.min(size, room - used))
    if #page == 0 then break end
    for _, entry in ipairs(page) do
      if not has_place() then break end
      local q, s, d, k = fields(entry[2])
      meet(entry[1], q, s, k, d)
      scanned = scanned + 1
      -- The larger they are, the fewer are read at a time.
      size = math.max(1, math.min(64, math.floor(PAGE_BYTES / 4 / (#d + 1))))
    end
  end
  more = more or scanned >= 256
else
  if ARGV[at] == g.sn and ARGV[at + 1] == g.pos then
    local through = true
    for i = at + 4, #ARGV, 4 do
      if not has_place() then
        through = false
        break
      end
      meet(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], '')
    end
    if through then g.pos, g.q, g.changed = ARGV[at + 2], tonumber(ARGV[at + 3]), true end
  end
  if has_place() then
    follows = g.pos
    local found, size, last = 0, 16, g.pos
    while found < 64 and bytes < PAGE_BYTES do
      local page = C('XRANGE', g.stream, '('..last, '+', 'COUNT', math.min(size, 64 - found))
      if #page == 0 then break end
      for _, entry in ipairs(page) do
        local q, s, d, k = fields(entry[2])
        for _, value in ipairs({entry[1], q, s, k, d}) do candidates[#candidates + 1] = value end
        found, bytes, last = found + 1, bytes + #d, entry[1]
        size = math.max(1, math.min(64, math.floor(PAGE_BYTES / 4 / (#d + 1))))
      end
    end
  end
end
more = more or bytes >= PAGE_BYTES

if full and g.fu ~= '1' then g.fu, g.changed = '1', true end
save_group(g)
if #seen > 0 then look_at(g, US + (used > 0 and math.min(g.dl, g.mt) or g.mt)) end
if used > 0 and ARGV[4] ~= '' then remember('PullEvents', request, ARGV[5], kept) end
local due, lag = '', ''
if used < #slots or #slots == 0 then
  local soonest = math.huge
  for _, kind in ipairs({'r', 'd'}) do
    local head = C('ZRANGE', gkey(g, kind), 0, 0, 'WITHSCORES')[2]
    if head then soonest = math.min(soonest, tonumber(head)) end
  end
  if soonest < math.huge then due = int(soonest) end
  lag = int(lag_of(g))
end
local settings = ARGV[3] ~= g.sn and C('HGET', P..'ev:g:'..g.tail, 'set') or ''
return {'OK', int(US), g.sn, settings, more and '1' or '0', due, lag, replaced, rows, follows,
  candidates, g.gen}
