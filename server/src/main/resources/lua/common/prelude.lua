-- What every script begins with.
--
-- KEYS[1] is the partition's log, `troupe:{<namespace>/<partition>}:log`; all
-- other keys are derived from it and so live in the same slot.
--
-- P    prefix of every key of the partition
-- US   now, microseconds since 1970, from the clock of Redis
local C = redis.call
local P = string.sub(KEYS[1], 1, -4)
local now = C('TIME')
local US = now[1] * 1000000 + now[2]

-- Lua numbers are doubles: tostring() writes large ones as 1.7e+15, and redis.call()
-- takes longer to write one than most commands take. '%d' is a 64-bit integer on a
-- 64-bit Redis, which is required, and takes half the time of '%.0f'.
local function int(n) return string.format('%d', n) end
