-- Whether an owner holds a lock or waits for one in this partition.
--
-- ARGV  1 owner
-- Reply {'OK', 0|1}
--#include lock/lock
for _, prefix in ipairs({'h:'..ARGV[1]..'\0', 'w:'..ARGV[1]..'\0'}) do
  if C('ZRANGEBYLEX', INDEX, '['..prefix, '('..prefix..'\255', 'LIMIT', 0, 1)[1] then return {'OK', 1} end
end
return {'OK', 0}
