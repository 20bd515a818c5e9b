-- Where the log begins and ends, as scripts tell it.
--#include common/prelude
-- Returns the id of the newest entry that a stream ever had, '0-0' when there is none. That
-- entry may be trimmed, so that only the stream itself knows its id.
local function last_id(stream)
  if C('EXISTS', stream) == 1 then
    local info = C('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then return info[i + 1] end
    end
  end
  return '0-0'
end
-- Returns epoch, last sequence and last id; 0, 0 and '0-0' before the first entry.
local function log_end()
  local head = C('HMGET', P..'head', 'seq', 'epoch')
  return head[2] or 0, head[1] or 0, last_id(KEYS[1])
end
-- Returns id and sequence of the first entry from an id on; '' and 0 when there is none.
local function first_entry(from)
  local first = C('XRANGE', KEYS[1], from, '+', 'COUNT', 1)[1]
  if not first then return '', 0 end
  for i = 1, #first[2], 2 do
    if first[2][i] == 's' then return first[1], first[2][i + 1] end
  end
  return first[1], 0
end
