-- Lists the partition's queues by name, from behind a name on.
--
-- ARGV  1 how many, 2 last name listed ('' from the beginning)
-- Reply {'OK', name...}
--#include common/prelude
local names = C('ZRANGEBYLEX', P..'tq:names', ARGV[2] == '' and '-' or '('..ARGV[2], '+',
  'LIMIT', 0, ARGV[1])
return {'OK', unpack(names)}
