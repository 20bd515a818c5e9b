-- Lists all namespaces; there are at most 10,000.
--
-- Reply {'OK', namespace, partitions, ...}
--#include common/prelude
local reply = C('HGETALL', P..'namespaces')
table.insert(reply, 1, 'OK')
return reply
