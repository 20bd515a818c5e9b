-- Appends events, each once for its (topic, source, id) in 10 minutes, and each on its own.
--
-- ARGV  per event: topic, type, subject, key, digest of topic, source and id, encoded
--       event, '1' when it has no time of its own, fence name, fence token
-- Reply {'OK', then per event: 'NEW' or 'OLD' for a duplicate, '<stream id> <sequence>
--       <epoch> <topic position> <topic's creation>', durability of the topic;
--       'STALE_FENCE', highest, ''; 'LIMIT', '', '' when it would be one topic too many}
--#include event/topic
--#include common/protobuf_time
--#include common/fence
local EACH = 9
local reply, topics, seen, new = {'OK'}, {}, {}, {}
for i = 1, #ARGV, EACH do
  local at = (i - 1) / EACH * 3 + 2
  local name, digest = ARGV[i], ARGV[i + 4]
  local t = topics[name] or load_topic(name)
  topics[name] = t
  local first = seen[digest]
  if first then
    -- Twice in one call: where the first one goes is not known yet.
    new[#new + 1] = {at, i, t, first}
  else
    first = t.ct and C('GET', P..'ev:'..digest)
    if first and string.match(first, '%S+$') == t.ct then
      reply[at], reply[at + 1], reply[at + 2] = 'OLD', first, t.du
    else
      local highest = stale_fence(ARGV[i + 7], ARGV[i + 8])
      if highest then
        reply[at], reply[at + 1], reply[at + 2] = 'STALE_FENCE', highest, ''
      elseif open_topic(t) then
        new[#new + 1] = {at, i, t}
        seen[digest] = at
      else
        reply[at], reply[at + 1], reply[at + 2] = 'LIMIT', '', ''
      end
    end
  end
end

-- Each has to be appended then, so the number must be right.
local appended = 0
for _, one in ipairs(new) do if not one[4] then appended = appended + 1 end end
if appended == 0 then return reply end
local seq = take_sequence(int(appended)) - appended
local epoch = C('HGET', P..'head', 'epoch')
for _, one in ipairs(new) do
  local at, i, t, first = one[1], one[2], one[3], one[4]
  if first then
    reply[at], reply[at + 1] = 'OLD', reply[first + 1]
  else
    seq = seq + 1
    local event = ARGV[i + 5]
    if ARGV[i + 6] == '1' then event = event..pb_time(5, US) end
    local id = append_event(t, seq, ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], event)
    local place = id..' '..int(seq)..' '..epoch..' '..int(t.seq)..' '..t.ct
    C('SET', P..'ev:'..ARGV[i + 4], place, 'PX', 600000)
    reply[at], reply[at + 1] = 'NEW', place
  end
  reply[at + 2] = t.du
end
for _, t in pairs(topics) do if t.added then keep_topic(t) end end
return reply
