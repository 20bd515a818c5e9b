-- Whom owners wait for, in this partition. A wait is blocked by the holders that it
-- does not go with, and by the nearest waits ahead that it does not go with: they in turn
-- are blocked by those ahead of them. Who waits for permits of a semaphore may get them
-- from anyone, so such waits block nobody, and neither does what ran out and is not swept
-- yet. At most 4,096 rows, and as many holders of a lock are looked at.
--
-- ARGV  owners
-- Reply {'OK', for each: waiting owner, wait id, number of the wait, lock, blocking owner}
--#include lock/lock
local reply, rows = {'OK'}, 0

local function row(owner, id, w, name, blocker)
  if blocker == owner or rows >= 4096 then return end
  rows = rows + 1
  for _, value in ipairs({owner, id, int(w[W_NUMBER]), name, blocker}) do reply[#reply + 1] = value end
end

local function holders(owner, id, w, name)
  local cursor, seen, looks = '0', {}, 0
  repeat
    local found = C('HSCAN', lock_key(name), cursor, 'MATCH', 'g*', 'COUNT', 64)
    for f = 1, #found[2], 2 do
      local blocker = unpack_one(found[2][f + 1])[G_OWNER]
      looks = looks + 1
      if not seen[blocker] and tonumber(C('ZSCORE', DUE, string.sub(found[2][f], 2)..name) or 0) > US then
        row(owner, id, w, name, blocker)
        seen[blocker] = true
      end
    end
    cursor = found[1]
  until cursor == '0' or rows >= 4096 or looks >= 4096
end

local function mode_of(w, name)
  for _, target in ipairs(w[W_TARGETS]) do
    if target[T_NAME] == name then return target[T_MODE] end
  end
end

local function waits_ahead(owner, id, w, name, mode)
  local ids = C('ZREVRANGEBYSCORE', queue_key(name), '('..int(w[W_NUMBER]), '-inf', 'LIMIT', 0, 512)
  for _, other in ipairs(ids) do
    local o = load_wait(other)
    if o and o[W_UNTIL] <= US then o = nil end
    local exclusive = o and mode_of(o, name) == EXCLUSIVE
    if o and (exclusive or mode == EXCLUSIVE) then row(owner, id, w, name, o[W_OWNER]) end
    -- Those ahead of an exclusive wait block it, and so us.
    if exclusive then return end
  end
end

for _, owner in ipairs(ARGV) do
  local prefix = 'w:'..owner..'\0'
  for _, member in ipairs(C('ZRANGEBYLEX', INDEX, '['..prefix, '('..prefix..'\255', 'LIMIT', 0, 64)) do
    local id = string.sub(member, -22)
    local name = string.sub(member, #prefix + 1, -24)
    local w = load_wait(id)
    local mode = w and w[W_UNTIL] > US and mode_of(w, name)
    if mode == EXCLUSIVE or mode == SHARED then
      local lock = load_lock(name)
      if lock.m ~= 0 and not fits(lock, mode, 1) then holders(owner, id, w, name) end
      waits_ahead(owner, id, w, name, mode)
    end
  end
end
return reply
