-- Dead letters that are on their way to other partitions, oldest first.
--
-- Reply {'OK', of each: id, topic, encoded event}
--#include common/prelude
local reply = {'OK'}
for _, entry in ipairs(C('XRANGE', P..'ev:ob', '-', '+', 'COUNT', 16)) do
  reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = entry[1], entry[2][2], entry[2][4]
end
return reply
