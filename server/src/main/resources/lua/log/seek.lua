-- Where the log stands, and which entry follows a position; read only.
--
-- ARGV  1 id of the position, '' for the newest
-- Reply {'OK', epoch, last sequence, last id, id of the entry that follows or
--       '', its sequence, now in milliseconds}
--#include common/prelude
local head = C('HMGET', P..'head', 'seq', 'epoch')
local last = '0-0'
if C('EXISTS', KEYS[1]) == 1 then
  -- The newest entry may be trimmed, so that only the stream itself knows its id.
  local info = C('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local follows, sequence = '', 0
if ARGV[1] ~= '' then
  local first = C('XRANGE', KEYS[1], '('..ARGV[1], '+', 'COUNT', 1)[1]
  if first then
    follows = first[1]
    for i = 1, #first[2], 2 do
      if first[2][i] == 's' then sequence = first[2][i + 1] end
    end
  end
end
return {'OK', head[2] or 0, head[1] or 0, last, follows, sequence, math.floor(US / 1000)}
