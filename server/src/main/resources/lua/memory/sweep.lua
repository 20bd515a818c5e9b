-- Does what time brings in the spaces of a partition: announces items that are about to end,
-- removes those that ended, and conversations; evicts where a quota became smaller. About 64
-- items a call.
--
-- Reply {'OK', 1 if there may be more to do at once, us until something is due (-1: nothing),
--       when what the namespace says last changed, us (0: never)}
--#include memory/conversation
local left = MOST_MOVES

local function announce_and_expire()
  local expired, soon = {}, {}
  for _, id in ipairs(C('ZRANGEBYSCORE', S..'x', '-inf', int(US), 'LIMIT', 0, left)) do
    left = left - 1
    local m, stale = load_item(id)
    if stale then
      expired[#expired + 1] = id
    elseif m then
      C('ZADD', S..'x', int(m[M_ENDS]), id)
      local tier = soon[m[M_TIER]] or {ids = {}, first = m[M_ENDS]}
      soon[m[M_TIER]] = tier
      tier.ids[#tier.ids + 1] = id
      tier.first = math.min(tier.first, m[M_ENDS])
    else
      -- Never so by our own doing; the sweeper must not stop at it.
      C('ZREM', S..'x', id)
    end
  end
  remove_all(expired, 'expired')
  for tier = SHORT, LONG do
    if soon[tier] then tell('expiring', soon[tier].ids, tier, 0, soon[tier].first) end
  end
end

local function shrink()
  local evicted = {}
  local over_items, over_bytes = space.n - space.cfg[CFG_ITEMS], space.b - space.cfg[CFG_BYTES]
  while left > 0 and (over_items > 0 or over_bytes > 0) do
    local id = C('ZRANGE', S..'q', #evicted, #evicted)[1]
    local m, stale = nil, nil
    if id then m, stale = load_item(id) end
    m = m or stale
    if not m or m[M_TIER] == PINNED then break end
    evicted[#evicted + 1] = id
    over_items, over_bytes, left = over_items - 1, over_bytes - m[M_SIZE], left - 1
  end
  remove_all(evicted, 'evicted')
end

local function talks_over()
  for _, name in ipairs(C('ZRANGEBYSCORE', S..'cn', '-inf', int(US), 'LIMIT', 0, left)) do
    if left <= 0 then break end
    left = left - 1
    local t, over = load_talk(name)
    if t then
      -- 128 turns take the time of about as many items as this.
      left = left - 16
      clear_turns(name, t)
      store_talk(name, t)
    elseif over then
      delete_talk(name, over)
    else
      -- Never so by our own doing; the sweeper must not stop at it.
      C('ZREM', S..'cn', name)
    end
  end
end

-- What the namespace says has changed, so that quotas may be smaller: some spaces at a time.
local function look_at_all()
  local after = C('HGET', P..'me:def', 'at')
  if not after then return end
  local names = C('ZRANGEBYLEX', P..'me:names', after == '' and '-' or '('..after, '+', 'LIMIT', 0, MOST_MOVES)
  for _, name in ipairs(names) do C('ZADD', P..'me:due', 'LT', int(US), name) end
  if #names == MOST_MOVES then
    C('HSET', P..'me:def', 'at', names[#names])
    left = 0
  else
    C('HDEL', P..'me:def', 'at')
  end
end

local function next_due()
  local soonest
  for _, key in ipairs({'x', 'cn'}) do
    local at = C('ZRANGE', S..key, 0, 0, 'WITHSCORES')[2]
    if at then soonest = math.min(soonest or tonumber(at), tonumber(at)) end
  end
  if soonest then
    C('ZADD', P..'me:due', int(soonest), NAME)
  else
    C('ZREM', P..'me:due', NAME)
  end
end

look_at_all()
local said = C('HGET', P..'me:def', 'u') or '0'
for _, name in ipairs(C('ZRANGEBYSCORE', P..'me:due', '-inf', int(US), 'LIMIT', 0, 16)) do
  if left <= 0 then break end
  if enter(name) then
    announce_and_expire()
    shrink()
    talks_over()
    settle()
    if left > 0 then next_due() end
  else
    C('ZREM', P..'me:due', name)
  end
end

local gone = left > 0 and C('LINDEX', P..'me:gone', 0)
if gone then
  local bytes, rest = string.match(gone, '^(%d+):(.*)$')
  local name = string.sub(rest, 1, tonumber(bytes))
  local generation = string.sub(rest, tonumber(bytes) + 2)
  local talks = C('ZPOPMIN', P..'me:gc:'..gone, left)
  for i = 1, #talks, 2 do
    left = left - 1
    C('UNLINK', P..'me:'..bytes..':'..name..':t:'..generation..':'..talks[i])
  end
  if C('EXISTS', P..'me:gc:'..gone) == 0 then C('LPOP', P..'me:gone') end
end
if left <= 0 or C('EXISTS', P..'me:gone') == 1 then return {'OK', 1, '0', said} end
local head = C('ZRANGE', P..'me:due', 0, 0, 'WITHSCORES')[2]
if not head then return {'OK', 0, '-1', said} end
return {'OK', tonumber(head) <= US and 1 or 0, int(math.max(0, tonumber(head) - US)), said}
