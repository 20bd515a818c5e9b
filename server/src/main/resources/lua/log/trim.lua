-- Drops entries beyond a number or an age. Approximate: Redis drops whole nodes.
--
-- ARGV  1 most entries, 2 greatest age in milliseconds
-- Reply {'OK', entries dropped}
--#include common/prelude
local dropped = C('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1])
local oldest = math.max(0, math.floor(US / 1000) - ARGV[2])
dropped = dropped + C('XTRIM', KEYS[1], 'MINID', '~', int(oldest))
return {'OK', dropped}
