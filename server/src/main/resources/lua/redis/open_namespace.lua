-- Returns how many partitions a namespace has, and fixes the number on first use.
--
-- troupe:{troupe/0}:namespaces  HASH  namespace -> number of partitions
--
-- ARGV  1 namespace, 2 partitions if it is new, 3 most namespaces
-- Reply {'OK', partitions}; {'LIMIT'}
--#include common/prelude
local registry = P..'namespaces'
local partitions = C('HGET', registry, ARGV[1])
if not partitions then
  if C('HLEN', registry) >= tonumber(ARGV[3]) then return {'LIMIT'} end
  partitions = ARGV[2]
  C('HSET', registry, ARGV[1], partitions)
end
return {'OK', partitions}
