-- Settles deliveries of a group, each on its own.
--
-- ARGV  1 topic, 2 group, 3... each '<kind> <q> <token> <generation> <delay us or -1>
--       <reason>'. Kind: A done, N given back, D dead at once, E at work, L given back
--       because its member left, U never sent to its member, which does not count
-- Reply {'OK', what to do: 1 something became deliverable, 2 something lies in the outbox,
--       3 both, then 1 done or 2 stale for each};
--       {'NO_GROUP'}
--#include event/group
local g = load_group(ARGV[1], ARGV[2])
if not g then return {'NO_GROUP'} end
local items, qs = {}, {}
for i = 3, #ARGV do
  local kind, q, token, gen, delay, reason =
    string.match(ARGV[i], '^(%u) (%d+) (%d+) (%d+) (%-?%d+) (.*)$')
  items[#items + 1] = {kind, q, tonumber(token), gen, tonumber(delay), reason}
  qs[#qs + 1] = q
end
local records = {}
for i, packed in ipairs(C('HMGET', gkey(g, 'e'), unpack(qs))) do
  if packed and not records[qs[i]] then records[qs[i]] = cmsgpack.unpack(packed) end
end
local ended = {}
local function write(q, r)
  records[q] = r
  push(g.records, q, cmsgpack.pack(r))
end
-- An event is over; what is written about it earlier in this call no longer holds.
local function over(q, r, kind)
  push(g.landed, q)
  push(g.served, q)
  remember_end(g, q, r, kind)
  records[q] = nil
  ended[q] = int(r[3])..' '..kind
end

local function live(kind, q, r, delay, reason)
  if kind == 'A' then
    if r[7] == 'f' then count(g, r[4], -1) end
    g.ak = g.ak + 1
    over(q, r, 'A')
    end_event(g, q, r)
  elseif kind == 'E' then
    if r[7] == 'd' then
      table.remove(r[8])
      r[7] = 'f'
      count(g, r[4], 1)
      push(g.served, q)
      write(q, r)
    end
    push(g.flying, int(US + g.dl), q)
    look_at(g, US + g.dl)
  elseif kind == 'U' then
    count(g, r[4], r[7] == 'f' and -1 or 0)
    r[2], r[7] = r[2] - 1, 'n'
    push(g.landed, q)
    push(g.waiting, int(US), q)
    write(q, r)
    g.ready = true
  else
    -- Whoever said nothing before its deadline passed is in the history once.
    if r[7] == 'd' then table.remove(r[8]) end
    end_delivery(g, r, reason, kind)
    if kind == 'D' or r[2] >= g.mx then
      over(q, r, kind)
      bury(g, q, r, kind == 'D' and 'rejected' or 'max_deliveries')
    else
      if kind == 'L' then
        delay = 0
      elseif delay < 0 then
        delay = g.rd == 0 and 0 or math.max(g.rd, math.min(g.rd * 2 ^ math.min(r[2] - 1, 30), 60000000))
      end
      r[7] = 'n'
      push(g.landed, q)
      push(g.waiting, int(US + delay), q)
      write(q, r)
      if delay == 0 then g.ready = true end
    end
  end
end

local reply, touched, freed = {'OK', 0}, {}, false
for i, item in ipairs(items) do
  local kind, q, token = item[1], item[2], item[3]
  local r, outcome = records[q], 2
  if item[4] ~= g.gen then
    outcome = 2
  elseif r and r[3] == token and (r[7] == 'f' or r[7] == 'd') then
    if touched[q] then save_group(g) end
    touched[q] = true
    live(kind, q, r, item[5], item[6])
    freed = freed or kind ~= 'E'
    outcome = 1
  elseif r then
    for _, h in ipairs(r[8]) do
      if h[5] == token and h[6] == kind then outcome = 1 end
    end
  else
    local how = ended[q]
    for bucket = 0, 1 do
      how = how or C('HGET', P..'ev:gf:'..int(US / 600000000 - bucket)..':'..g.tail, q)
    end
    -- What was before the group was moved says nothing of now.
    if how and tonumber(string.match(how, '%d+')) <= tonumber(g.gen) then how = nil end
    if how then
      outcome = how == int(token)..' '..kind and 1 or 2
    elseif kind == 'A' and tonumber(q) <= g.q and token <= g.tok then
      -- Delivered once and acknowledged: by whom else?
      outcome = 1
    end
  end
  reply[i + 2] = outcome
end
if g.fu == '1' and freed then
  g.fu, g.changed, g.ready = '0', true, true
end
save_group(g)
if g.ready then ring_group(g) end
reply[2] = (g.ready and 1 or 0) + (g.laid_out and 2 or 0)
return reply
