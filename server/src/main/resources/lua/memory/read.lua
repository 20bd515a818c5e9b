-- Reads items by their ids: counts the read, makes them last longer and promotes them as
-- the settings of the space say, unless it only looks. Bodies end at a number of bytes.
--
-- ARGV  1 space, 2 '1' to look only, 3 bytes, then ids
-- Reply {'OK', now us, revision, for each id: nil when it is not there, 0 when it is past the
--       bytes, or {what is said of it, encoded MemoryContent}}; {'NO_SPACE'}
--#include memory/space
if not enter(ARGV[1]) then return {'NO_SPACE'} end
local look, bytes = ARGV[2] == '1', tonumber(ARGV[3])
local reply = {'OK', int(US), 0}

local function refresh(id, m)
  local life = lifetime(m)
  if space.cfg[CFG_REFRESH] == 0 or life == 0 or (US - m[M_SINCE]) * 16 < life then return false end
  local ends = m[M_ENDS]
  begin_lifetime(m)
  -- A merge may have given it a later end.
  m[M_ENDS] = math.max(m[M_ENDS], ends)
  schedule(id, m)
  tell('refreshed', {id}, m[M_TIER], m[M_VERSION], m[M_ENDS])
  return true
end

local function promote(id, m)
  local reads = m[M_TIER] < PINNED and space.cfg[CFG_READS + m[M_TIER]] or 0
  if reads == 0 or m[M_HERE] < reads then return false end
  m[M_TIER], m[M_LIFE], m[M_HERE] = space.cfg[CFG_TO + m[M_TIER]], 0, 0
  m[M_VERSION], m[M_CHANGED] = m[M_VERSION] + 1, US
  begin_lifetime(m)
  schedule(id, m)
  tell('promoted', {id}, m[M_TIER], m[M_VERSION], m[M_ENDS])
  return true
end

local found = {}
for i = 4, #ARGV do
  local id = ARGV[i]
  local m = load_item(id)
  if not m then
    reply[i] = false
  elseif bytes <= 0 then
    reply[i] = 0
  else
    local body = C('HGET', S..'b', id)
    bytes = bytes - #body - 1000
    if not look then
      m[M_READS], m[M_READ], m[M_HERE] = m[M_READS] + 1, US, m[M_HERE] + 1
      keep(id, m, promote(id, m) or refresh(id, m))
      rank(id, m)
    end
    found[i] = {m, body}
  end
end
settle()
reply[3] = int(space.r)
for i, row in pairs(found) do reply[i] = {pack(row[1]), row[2]} end
return reply
