-- Reads what some topics of a partition keep, as one row in the order of the log. Forwards
-- only what is from before the log begins; read only.
--
-- ARGV  1 'f', or 'r' for the newest first, 2 id to begin behind, 3 most events, 4 about how
--       many bytes, 5... topics
-- Reply {'OK', epoch, id of the log's first entry or '', its sequence, last id of the log,
--       its sequence, per topic '<id> <sequence>' up to which it may have lost events after
--       ARGV[2] or '', then per event: topic by its place in ARGV from 1, id, sequence in
--       the log, topic position, type, subject, encoded Event}
--#include log/ends
local reverse, from, most = ARGV[1] == 'r', ARGV[2], tonumber(ARGV[3])
local epoch, seq, last = log_end()
local first_id, first_seq = first_entry('-')
local reply = {'OK', epoch, first_id, first_seq, last, seq}
local command = reverse and 'XREVRANGE' or 'XRANGE'
local stop = reverse and '-' or (first_id == '' and '+' or '('..first_id)
-- An event comes with its data, and what is read beyond the page is read in vain.
local step = math.max(1, math.floor(16 / (#ARGV - 4)))

local function parts(id)
  local ms, order = string.match(id, '(%d+)%-(%d+)')
  return {ms = tonumber(ms), order = tonumber(order)}
end
local function is_older(a, b) return a.ms < b.ms or (a.ms == b.ms and a.order < b.order) end

-- A topic loses what its rules take; all that it had when it is deleted. Of that it is
-- known only when any topic was, and whether this one has been there since.
local start = parts(from)
local gone = C('GET', P..'ev:deleted')
local function lost(topic)
  local v = C('HMGET', P..'ev:t:'..topic, 'ct', 'tr')
  local newest = v[2]
  if gone and (not v[1] or tonumber(v[1]) / 1000 >= start.ms)
    and not (newest and is_older(parts(gone), parts(newest))) then
    newest = gone
  end
  return newest and is_older(start, parts(newest)) and newest or ''
end

-- Steps to the next event of a topic.
local function step_on(t)
  t.at = t.at + 1
  if t.at > #t.page and #t.page == step then
    t.page, t.at = C(command, t.stream, '('..t.id, stop, 'COUNT', step), 1
  end
  local entry = t.page[t.at]
  t.fields = entry and entry[2]
  if entry then t.id, t.place = entry[1], parts(entry[1]) end
end

local rows = {}
for i = 5, #ARGV do
  reply[#reply + 1] = lost(ARGV[i])
  local t = {number = i - 4, stream = P..'ev:e:'..ARGV[i], at = 0}
  t.page = C(command, t.stream, '('..from, stop, 'COUNT', step)
  step_on(t)
  rows[#rows + 1] = t
end

local n, count, bytes, most_bytes = #reply, 0, 0, tonumber(ARGV[4])
while count < most and bytes < most_bytes do
  local best
  for _, t in ipairs(rows) do
    if t.fields and (not best or is_older(t.place, best.place) ~= reverse) then best = t end
  end
  if not best then break end
  local f, v = best.fields, {}
  for i = 1, #f, 2 do v[f[i]] = f[i + 1] end
  reply[n + 1], reply[n + 2], reply[n + 3] = best.number, best.id, v.s or '0'
  reply[n + 4], reply[n + 5], reply[n + 6] = v.q or '0', v.y or '', v.u or ''
  reply[n + 7] = v.d or ''
  n, count, bytes = n + 7, count + 1, bytes + #reply[n + 7]
  step_on(best)
end
return reply
