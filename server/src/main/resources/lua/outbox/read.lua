-- Reads the outbox, up to 64 events and about a MiB; read only.
--
-- ARGV  1 where to begin: '-', or '(' and an id for behind it, 2 how old they have to be, in ms
-- Reply {'OK', of each: id, topic, encoded Event}
--#include common/outbox
local from, reply, n, bytes = ARGV[1], {'OK'}, 1, 0
local to = ARGV[2] == '0' and '+' or int(math.floor(US / 1000) - ARGV[2])
while n < 193 and bytes < 1048576 do
  local page = C('XRANGE', P..'ob', from, to, 'COUNT', 8)
  for _, entry in ipairs(page) do
    reply[n + 1], reply[n + 2], reply[n + 3] = entry[1], entry[2][2], entry[2][4]
    n, bytes, from = n + 3, bytes + #entry[2][4], '('..entry[1]
  end
  if #page < 8 then break end
end
return reply
