-- Wakes those who found nothing to do in the queue.
--#include task/queue
local rung
local function ring()
  -- Once per queue is enough.
  if rung ~= NAME then
    rung = NAME
    C('PUBLISH', P..'bell', 'r\n'..NAME)
  end
end
