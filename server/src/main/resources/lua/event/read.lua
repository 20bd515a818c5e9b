-- Reads events of a topic, up to a number of them and about a MiB; read only.
--
-- ARGV  1 topic, 2 'r' for the newest first, 3 first and 4 last id to look at, in the order
--       of reading ('-', '+', or '(' and an id for behind it), 5 how many
-- Reply {'OK', us now, epoch of the log, then per event: id, sequence in the log, topic
--       position, encoded Event}; {'NOT_FOUND'}
--#include common/prelude
local stream = P..'ev:e:'..ARGV[1]
if C('EXISTS', P..'ev:t:'..ARGV[1]) == 0 then return {'NOT_FOUND'} end
local command = ARGV[2] == 'r' and 'XREVRANGE' or 'XRANGE'
local from, left, bytes = ARGV[3], tonumber(ARGV[5]), 0
local reply, n = {'OK', int(US), C('HGET', P..'head', 'epoch') or 0}, 3
while left > 0 and bytes < 1048576 do
  local page = C(command, stream, from, ARGV[4], 'COUNT', math.min(left, 8))
  for _, entry in ipairs(page) do
    local f, s, q, d = entry[2], '0', '0', ''
    for i = 1, #f, 2 do
      if f[i] == 's' then s = f[i + 1]
      elseif f[i] == 'q' then q = f[i + 1]
      elseif f[i] == 'd' then d = f[i + 1] end
    end
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = entry[1], s, q, d
    n, bytes, from = n + 4, bytes + #d, '('..entry[1]
  end
  left = left - #page
  if #page == 0 then break end
end
return reply
