-- What a task claims outside of its own hash: a dedupe key, timers.
--#include task/queue
--#include task/header
local function has_claims(header) return string.byte(header) % 2 == 1 end

local function claims_of(header)
  local scope, _, _, dedupe = struct.unpack('>BHc0Hc0Hc0', header, 43)
  return scope, dedupe
end

-- Frees the dedupe key, unless a newer task took it meanwhile.
local function free_dedupe(id, dedupe)
  if dedupe ~= '' then
    local key = Q..'dd:'..dedupe
    if C('GET', key) == id then C('DEL', key) end
  end
end

-- Gives up everything when the task ends for good.
local function drop_claims(id, header)
  local scope, dedupe = claims_of(header)
  if scope ~= 3 then free_dedupe(id, dedupe) end
  C('ZREM', Q..'timers', 'q|'..id, 'd|'..id)
end
