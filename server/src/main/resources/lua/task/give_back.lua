-- Gives back what a worker's stream holds, at once or after a grace.
--
-- ARGV  1 queue, 2 worker, 3 epoch of the stream, 4 older 0|1: what streams
--       before this one hold, instead of what it holds itself, 5 grace us (0: at
--       once), 6 reason
-- Reply {'OK', how many, more 0|1}
--#include task/retry
enter(ARGV[1])
local worker, epoch, older = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local grace = tonumber(ARGV[5])
local key = Q..'w:'..worker
local held = C('HGETALL', key)
local moved = 0
for i = 1, #held, 2 do
  local id = held[i]
  if id ~= EPOCH then
    local token, of = string.match(held[i + 1], '^(%d+)|(%d+)$')
    of = tonumber(of)
    -- Leases taken by the unary call (epoch 0) hang on no stream.
    if (older and of > 0 and of < epoch) or (not older and of == epoch) then
      if grace > 0 then
        C('ZADD', Q..'leases', 'XX', 'LT', int(US + grace), id)
        look_at(US + grace)
        moved = moved + 1
      else
        if moved == 64 then return {'OK', moved, 1} end
        local v = load_task(id)
        if v.st == 'L' and v.tok == token then
          release_attempt(id, v, 0, ARGV[6])
        else
          C('HDEL', key, id)
        end
        moved = moved + 1
      end
    end
  end
end
if grace == 0 and not older and C('HGET', key, EPOCH) == ARGV[3] then C('HDEL', key, EPOCH) end
return {'OK', moved, 0}
