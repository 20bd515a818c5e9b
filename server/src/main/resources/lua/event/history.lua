-- Reads what some topics of a partition keep, as one row in the order of the log. Forwards
-- only what is from before the log begins; read only.
--
-- ARGV  1 'f', or 'r' for the newest first, 2 id to begin behind, 3 most events, 4 about how
--       many bytes, 5... topics
-- Reply {'OK', epoch, id of the log's first entry or '', its sequence, last id of the log,
--       its sequence, per topic '<id> <sequence>' up to which it may have lost events after
--       ARGV[2] or '' (which it always is with 'r'), then per event: topic by its place in
--       ARGV from 1, id, sequence in the log, topic position, type, subject, encoded Event}
--#include log/ends
local reverse, from = ARGV[1] == 'r', ARGV[2]
local most, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local epoch, seq, last = log_end()
local first_id, first_seq = first_entry('-')
local reply = {'OK', epoch, first_id, first_seq, last, seq}
local command = reverse and 'XREVRANGE' or 'XRANGE'
local stop = reverse and '-' or (first_id == '' and '+' or '('..first_id)
local step = math.max(1, math.floor(16 / (#ARGV - 4)))

local function parts(id)
  local ms, order = string.match(id, '(%d+)%-(%d+)')
  return {ms = tonumber(ms), order = tonumber(order)}
end
local function is_older(a, b) return a.ms < b.ms or (a.ms == b.ms and a.order < b.order) end

-- The place right before an entry, as LogPosition.before() has it.
local function place_before(id, sequence)
  local at = parts(id)
  local place = at.order > 0 and int(at.ms)..'-'..int(at.order - 1) or int(at.ms - 1)..'-4294967295'
  return place..' '..int(sequence - 1)
end

local function fields(entry)
  local f, v = entry[2], {}
  for i = 1, #f, 2 do v[f[i]] = f[i + 1] end
  return v
end

local start = parts(from)

-- Topics from before there was `tr` do not say what their rules took. One that was never
-- compacted has a hole nowhere but at its beginning, so that is where something went.
local function lost_unsaid(topic, published)
  local stream = P..'ev:e:'..topic
  local kept = C('XLEN', stream)
  if kept == published then return false end
  if kept > 0 then
    local entry = C('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    local v = fields(entry)
    return v.s and v.q and v.q ~= '1' and place_before(entry[1], v.s)
  end
  if not is_older(start, parts(last_id(stream))) then return false end
  return first_id == '' and last..' '..seq or place_before(first_id, first_seq)
end

-- A topic loses what its rules take; all that it had when it is deleted. Of that it is
-- known only when any topic was, and whether this one has been there since.
local gone = C('GET', P..'ev:deleted')
local function lost(topic)
  local v = C('HMGET', P..'ev:t:'..topic, 'ct', 'tr', 'seq', 'cp')
  local newest = v[2]
  if not newest and v[1] and v[4] ~= '1' then newest = lost_unsaid(topic, tonumber(v[3] or 0)) end
  if gone and (not v[1] or tonumber(v[1]) / 1000 >= start.ms)
    and not (newest and is_older(parts(gone), parts(newest))) then
    newest = gone
  end
  return newest and is_older(start, parts(newest)) and newest or ''
end

-- Steps to the next event of a topic; so many are read if there is none in hand.
local function step_on(t, count)
  if t.at == #t.page and t.more then
    t.page, t.at = C(command, t.stream, '('..t.id, stop, 'COUNT', count), 0
    t.more = #t.page == count
  end
  t.at = t.at + 1
  local entry = t.page[t.at]
  t.v = entry and fields(entry)
  if entry then
    t.id, t.place, t.size = entry[1], parts(entry[1]), #(t.v.d or '')
    t.largest = math.max(t.largest, t.size)
  end
end
local function comes_before(a, b) return is_older(a.place, b.place) ~= reverse end

-- An event comes with its data, and what is read beyond the page is read in vain. So each
-- topic is asked for one event first, and for none behind those that fill the page.
local rows, heads, head_bytes = {}, {}, 0
for i = 5, #ARGV do
  reply[#reply + 1] = reverse and '' or lost(ARGV[i])
  local t = {number = i - 4, stream = P..'ev:e:'..ARGV[i], id = from, largest = 1,
    page = {}, at = 0, more = true}
  step_on(t, 1)
  rows[#rows + 1] = t
  if t.v then
    local at = #heads + 1
    while at > 1 and comes_before(t, heads[at - 1]) do
      heads[at], at = heads[at - 1], at - 1
    end
    heads[at], head_bytes = t, head_bytes + t.size
    if #heads >= most or head_bytes >= most_bytes then
      local bytes = 0
      for n, head in ipairs(heads) do
        bytes = bytes + head.size
        if n == most or bytes >= most_bytes then
          stop = '('..head.id
          break
        end
      end
    end
  end
end

local n, count, bytes, taken = #reply, 0, 0, nil
while count < most and bytes < most_bytes do
  if taken then
    local fitting = math.floor((most_bytes - bytes) / taken.largest)
    step_on(taken, math.max(1, math.min(step, most - count, fitting)))
  end
  local best
  for _, t in ipairs(rows) do
    if t.v and (not best or comes_before(t, best)) then best = t end
  end
  if not best then break end
  local v = best.v
  reply[n + 1], reply[n + 2], reply[n + 3] = best.number, best.id, v.s or '0'
  reply[n + 4], reply[n + 5], reply[n + 6] = v.q or '0', v.y or '', v.u or ''
  reply[n + 7] = v.d or ''
  n, count, bytes, taken = n + 7, count + 1, bytes + best.size, best
end
return reply
