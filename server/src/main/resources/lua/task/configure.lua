-- Changes a queue's settings or mode, creating the queue if need be.
--
-- ARGV  1 queue, 2 mode A|P|D ('' keeps it), 3 settings (Protobuf; '' keeps them),
--       4 fence name, 5 fence token, 6 aging us, 7 max concurrency, 8 retention
--       ms, 9 max dead, 10 max failures, 11 first and 12 longest back-off us, 13
--       fatal kinds, then fairness keys and weights. 6 and on only with settings.
-- Reply {'OK'}; {'STALE_FENCE', highest}; {'LIMIT', most}
--#include task/bell
--#include common/fence
enter(ARGV[1])
local highest = stale_fence(ARGV[4], ARGV[5])
if highest then return {'STALE_FENCE', highest} end
if C('HEXISTS', Q..'meta', 'ct') == 0 then
  if C('ZCARD', P..'tq:names') >= 100000 then return {'LIMIT', '100000'} end
  C('HSET', Q..'meta', 'ct', int(US))
  C('ZADD', P..'tq:names', 0, NAME)
end
if ARGV[2] == 'A' then
  C('HDEL', Q..'meta', 'mode')
elseif ARGV[2] ~= '' then
  C('HSET', Q..'meta', 'mode', ARGV[2])
end
if ARGV[3] ~= '' then
  C('HSET', Q..'meta', 'cfg', ARGV[3], 'aging', ARGV[6], 'ret', ARGV[8], 'maxdead', ARGV[9],
    'rmax', ARGV[10], 'rini', ARGV[11], 'rcap', ARGV[12], 'rnr', ARGV[13])
  if ARGV[7] == '0' then C('HDEL', Q..'meta', 'maxc') else C('HSET', Q..'meta', 'maxc', ARGV[7]) end
  C('DEL', Q..'weights')
  if #ARGV < 14 then C('HDEL', Q..'meta', 'weighted') else C('HSET', Q..'meta', 'weighted', '1') end
  for i = 14, #ARGV, 2 do C('HSET', Q..'weights', ARGV[i], ARGV[i + 1]) end
end
-- Whoever found the queue shut or full looks again.
ring()
return {'OK'}
