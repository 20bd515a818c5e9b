-- The end of a consumer group with all that it has in flight.
--#include common/prelude
local function end_group(topic, group)
  C('ZREM', P..'ev:gs:'..topic, group)
end
