-- Counts the agents of the partition.
--
-- Reply {'OK', busy, {agents of status 1 to 8}, types left out 0|1, then per type, the
--       most frequent first, at most 512: {type, agents of status 1 to 8}}
--#include agent/agent
local statuses = {}
for status = 1, 8 do statuses[status] = C('ZCARD', P..'ag:ix:status:'..status) end
local types = C('ZREVRANGE', P..'ag:types', 0, 511)
local reply = {'OK', C('HGET', P..'ag:n', 'busy') or '0', statuses,
  C('ZCARD', P..'ag:types') > 512 and 1 or 0}
for _, type in ipairs(types) do
  local fields = {}
  for status = 1, 8 do fields[status] = status..':'..type end
  local counts = C('HMGET', P..'ag:n', unpack(fields))
  local row = {type}
  for status = 1, 8 do row[status + 1] = counts[status] or '0' end
  reply[#reply + 1] = row
end
return reply
