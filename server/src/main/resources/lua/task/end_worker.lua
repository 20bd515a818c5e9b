-- Takes away what a worker holds in the queues of the partition, because the session
-- of the agent of that name is over; at most 64 tasks and 16 queues a call. What was
-- leased, or picked up by a stream that was opened, after the end is not touched.
--
-- ARGV  1 worker, 2 end of the session us, 3 lost 0|1: counts as losses, else as
--       releases, 4 reason, 5 queue to go on with ('' from the beginning)
-- Reply {'OK', how many, queue to go on with ('' at the end)}
--#include task/lose
local worker, ended, lost = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local index, moved = P..'tq:w:'..worker, 0
local queues = C('ZRANGEBYLEX', index, ARGV[5] == '' and '-' or '['..ARGV[5], '+', 'LIMIT', 0, 16)
for _, name in ipairs(queues) do
  enter(name)
  local key = Q..'w:'..worker
  local held = C('HGETALL', key)
  for i = 1, #held, 2 do
    local id = held[i]
    if id ~= EPOCH then
      local token, of = string.match(held[i + 1], '^(%d+)|(%d+)$')
      -- Both count microseconds of the clock of Redis.
      if tonumber(token) < ended and tonumber(of) < ended then
        if moved == 64 then return {'OK', moved, name} end
        local v = load_task(id)
        if v.st ~= 'L' or v.tok ~= token then
          C('HDEL', key, id)
        elseif lost then
          local more = C('HMGET', Q..'t:'..id, 'ak', 'lw')
          lose(id, v, more[1], more[2], ARGV[4])
        else
          release_attempt(id, v, 0, ARGV[4])
        end
        moved = moved + 1
      end
    end
  end
  if C('EXISTS', key) == 0 then C('ZREM', index, name) end
end
return {'OK', moved, #queues == 16 and queues[16] or ''}
