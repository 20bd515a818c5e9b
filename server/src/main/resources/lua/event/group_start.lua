-- Finds a place in a topic for a group.
--#include event/topic
local function topic_position(entry)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'q' then return tonumber(entry[2][i + 1]) end
  end
end
-- The id right before another one, whether or not anything has it.
local function id_before(id)
  local ms, order = string.match(id, '(%d+)%-(%d+)')
  if tonumber(order) > 0 then return ms..'-'..int(tonumber(order) - 1) end
  if tonumber(ms) == 0 then return '0-0' end
  return int(tonumber(ms) - 1)..'-18446744073709551615'
end
-- What is looked at last before the first entry from an id on, as a stream id and a topic
-- position; nil when there is no such entry.
local function before(stream, from)
  local entry = C('XRANGE', stream, from, '+', 'COUNT', 1)[1]
  if not entry then return nil end
  return id_before(entry[1]), topic_position(entry) - 1
end
-- Kind: 'b' the beginning, 'n' now, 't' a time in ms, 'p' after a topic position.
local function group_start(t, kind, value)
  local stream = t.stream
  local last = C('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local now_id = last and last[1] or '0-0'
  if kind == 'b' then
    local pos, q = before(stream, '-')
    if pos then return pos, q end
  elseif kind == 't' then
    local from = int(tonumber(value))..'-0'
    local pos, q = before(stream, from)
    if pos then return pos, q end
    -- It is yet to come: what is accepted until then is passed over.
    if tonumber(value) > tonumber(string.match(now_id, '%d+')) then return id_before(from), t.seq end
  elseif kind == 'p' and last then
    local wanted = tonumber(value)
    if wanted < topic_position(last) then
      -- The first entry whose position is greater: by halves, as ids are times.
      local first = C('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
      local low, high = tonumber(string.match(first[1], '%d+')), tonumber(string.match(last[1], '%d+'))
      while low < high do
        local middle = math.floor((low + high + 1) / 2)
        local entry = C('XRANGE', stream, int(middle)..'-0', '+', 'COUNT', 1)[1]
        if topic_position(entry) <= wanted then low = middle else high = middle - 1 end
      end
      -- Within one millisecond one after the other.
      local from = int(low)..'-0'
      while true do
        local page = C('XRANGE', stream, from, '+', 'COUNT', 16)
        for _, entry in ipairs(page) do
          local q = topic_position(entry)
          if q > wanted then return id_before(entry[1]), q - 1 end
          from = '('..entry[1]
        end
        if #page == 0 then break end
      end
    end
  end
  return now_id, t.seq
end
