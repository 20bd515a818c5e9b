-- Changes locks as lock/change does. What is asked for most comes first and goes without its
-- definitions: to give back a lock that nobody else wants, and to acquire one that nobody
-- holds. Those of one call share their commands. What turns out to be less simple is done by
-- lock/change, after them.
--
-- ARGV  1 how many may wait for a lock, 2 how many releases and 3 how many acquires follow
--       a release: name, lease id, '' or request id, zero byte, digest, zero byte
--       an acquire: name, lease id, the rest of a lease as THIN_REST says, LockChange, wish:
--           '1' if it may be known under its request id and else '0', wait us, zero byte, wait
--           id, zero byte, request id, zero byte
--       then others, as in lock/change
-- Reply that of lock/change, in the order of the arguments; besides, for a release
--       1: it was held once and was given back
--       and for an acquire its token: granted now, as it was asked for
--#include common/log
--#include lock/thin
local ARGV, sub, byte, char, unpack = ARGV, string.sub, string.byte, string.char, unpack
local LOCK, DUE, INDEX, KEPT = P..'lk:l:', P..'lk:due', P..'lk:ix', 60000
local RELEASED, ACQUIRED = '\8\2', '\8\1'
local KNOWN = byte('1')
local releases, acquires = tonumber(ARGV[2]), tonumber(ARGV[3])
local reply = {'OK', int(US)}
-- What is left to lock/change: its arguments, and where in the reply its answers go.
local rest, places = {ARGV[1]}, {}
-- What happened: type, lock, LockChange.
local happened, n = {}, 0

local function leave(place, arguments)
  places[#places + 1] = place
  for _, argument in ipairs(arguments) do rest[#rest + 1] = argument end
end

if releases > 0 then
  local keys = {}
  for k = 1, releases do keys[k] = LOCK..ARGV[3 * k + 1] end
  -- Of a lock that is no string, as it is less simple, this gets nothing.
  local values = C('MGET', unpack(keys))
  local gone, dues, indexed, g = {}, {}, {}, 0
  -- Lease ids and requests that were seen here, and the answers to keep.
  local seen, kept = {}, {}
  for k = 1, releases do
    local name, id, more = ARGV[3 * k + 1], ARGV[3 * k + 2], ARGV[3 * k + 3]
    local held, request, digest = values[k], nil, nil
    local simple = held and sub(held, 1, 22) == id and not seen[id]
    if simple and more ~= '' then
      request, digest = string.match(more, '^(%Z*)%z(%Z*)')
      request = P..'rq:ReleaseLock:'..request
      simple = not seen[request] and C('EXISTS', request) == 0
    end
    if simple then
      local change, _, member = struct.unpack(THIN_CHANGE, held, 39)
      g = g + 1
      gone[g], dues[g], seen[id] = keys[k], id..name, true
      indexed[2 * g - 1], indexed[2 * g] = 'n:'..name, member
      happened[n + 1], happened[n + 2], happened[n + 3] = 'lock.released', name, RELEASED..change
      n = n + 3
      if request then seen[request], kept[#kept + 1] = true, {request, digest} end
      reply[2 + k] = 1
    else
      leave(2 + k, {'R', id, name, more == '' and '' or more..'\0000\0'})
    end
  end
  if g > 0 then
    C('DEL', unpack(gone))
    C('ZREM', DUE, unpack(dues))
    C('ZREM', INDEX, unpack(indexed))
    -- Behind what frees memory: when there is none left, Redis refuses a script only whose first
    -- write takes some.
    for _, one in ipairs(kept) do
      C('SET', one[1], cmsgpack.pack({one[2], {'RELEASED', 1, 0}}), 'PX', KEPT)
    end
  end
end

local at = 4 + 3 * releases
if acquires > 0 then
  local first, base = at, 2 + releases
  local function general(k)
    local i = first + 5 * (k - 1)
    local name, id, body, change, wish = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local ttl, member, call, digest, behind = struct.unpack(THIN_REST, body)
    local known, wait, wait_id, request = string.match(wish, '^(.)(%Z*)%z(%Z*)%z(%Z*)')
    leave(base + k, {'A', thin_owner(member, name), int(ttl), wait, call, wait_id, request,
      known == '1' and request..'\0'..digest..'\0\0000\0\0\0\0' or '', name, 1, 1, 0, id, sub(body, behind), change})
  end

  -- Key and value of each, and its number among the acquires.
  local wanted, numbers, w, seen = {}, {}, 0, {}
  local tokens, changes = {}, {}
  local last_token, tail, tail_of = tonumber(C('GET', P..'lk:tok') or 0), nil, nil
  for k = 1, acquires do
    local name, wish = ARGV[at], ARGV[at + 4]
    local simple = not seen[name]
    if simple and byte(wish) == KNOWN then
      local wait_id, request = string.match(wish, '^.%Z*%z(%Z*)%z(%Z*)')
      simple = not seen['\0'..request]
        and C('EXISTS', P..'rq:Acquire:'..request, P..'lk:w:'..wait_id) == 0
      seen['\0'..request] = true
    end
    if simple then
      seen[name] = true
      last_token = last_token < US and US or last_token + 1
      -- As pb_token() would; tokens that follow each other share all bytes but the lowest.
      local low = last_token % 128
      if tail_of ~= last_token - low then
        tail, tail_of = thin_tail(last_token), last_token - low
      end
      local change = ARGV[at + 3]..char(32, low + 128)..tail
      w = w + 1
      wanted[2 * w - 1] = LOCK..name
      wanted[2 * w] = ARGV[at + 1]..struct.pack('>ddHc0', last_token, US, #change, change)..ARGV[at + 2]
      numbers[w], tokens[w], changes[w] = k, last_token, change
    end
    at = at + 5
  end

  if w > 0 then
    -- Mostly all are free, and otherwise each has to be tried.
    local all = C('MSETNX', unpack(wanted)) == 1
    local dues, indexed, d, due, due_ttl = {}, {}, 0, nil, nil
    for i = 1, w do
      local k = numbers[i]
      if all or C('SET', wanted[2 * i - 1], wanted[2 * i], 'NX') then
        local j = first + 5 * (k - 1)
        local name = ARGV[j]
        local ttl, member = struct.unpack('>dHc0', ARGV[j + 2])
        if ttl ~= due_ttl then due, due_ttl = int(US + ttl), ttl end
        dues[d + 1], dues[d + 2] = due, ARGV[j + 1]..name
        indexed[2 * d + 1], indexed[2 * d + 2], indexed[2 * d + 3], indexed[2 * d + 4] = '0', 'n:'..name, '0', member
        d = d + 2
        happened[n + 1], happened[n + 2], happened[n + 3] = 'lock.acquired', name, ACQUIRED..changes[i]
        n = n + 3
        if byte(ARGV[j + 4]) == KNOWN then
          local request = string.match(ARGV[j + 4], '^.%Z*%z%Z*%z(%Z*)')
          local _, _, _, digest = struct.unpack(THIN_REST, ARGV[j + 2])
          C('SET', P..'rq:Acquire:'..request,
            cmsgpack.pack({digest, {'GRANTED', int(tokens[i]), int(US), due, 1, '', ''}}), 'PX', KEPT)
        end
        reply[base + k] = tokens[i]
      end
    end
    if d > 0 then
      C('ZADD', DUE, unpack(dues))
      C('ZADD', INDEX, unpack(indexed))
    end
    C('SET', P..'lk:tok', int(last_token))
  end
  -- In their order: those who have to wait do so as they came.
  for k = 1, acquires do
    if not reply[base + k] then general(k) end
  end
end

if n > 0 then
  local seq = take_sequence(n / 3) - n / 3
  for i = 1, n, 3 do
    seq = seq + 1
    append(seq, 'troupe.locks', happened[i], happened[i + 1], happened[i + 2])
  end
end

if #rest > 1 or at <= #ARGV then
  -- The answers to what was left over come first, then those to the others, in their order.
  local left = #places
  for i = at, #ARGV do rest[#rest + 1] = ARGV[i] end
  local function by_the_book(ARGV)
    --#include lock/change
  end
  local answers = by_the_book(rest)
  for i = 3, #answers do
    reply[places[i - 2] or releases + acquires + i - left] = answers[i]
  end
end
return reply
