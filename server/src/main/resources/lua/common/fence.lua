-- Refuses a writer whose fencing token is not, or no longer, the highest.
--
-- fn:<name>  STRING  highest token seen, kept for 24 hours after its last use
--
-- A name that begins with \1 is that of a grant in this partition, a lock's or a session's:
-- then only a token that is current passes.
--#include common/prelude
local function lock_token(name, token)
  local highest, cursor = '0', '0'
  -- As in lock/thin; of a hash, this gets nothing.
  local thin = C('MGET', P..'lk:l:'..name)[1]
  if thin then
    local id, held = struct.unpack('>c22d', thin)
    local due = C('ZSCORE', P..'lk:due', id..name)
    if not due or tonumber(due) <= US then return highest end
    held = int(held)
    return held ~= token and held or nil
  end
  repeat
    local found = C('HSCAN', P..'lk:l:'..name, cursor, 'MATCH', 'g*', 'COUNT', 64)
    for i = 1, #found[2], 2 do
      local held = int(cmsgpack.unpack(found[2][i + 1])[3])
      local due = C('ZSCORE', P..'lk:due', string.sub(found[2][i], 2)..name)
      if due and tonumber(due) > US then
        if held == token then return nil end
        if tonumber(held) > tonumber(highest) then highest = held end
      end
    end
    cursor = found[1]
  until cursor == '0'
  return highest
end

local function session_token(id, token)
  local agent = C('HMGET', P..'ag:a:'..id, 'tok', 'st')
  local current = agent[1] and tonumber(agent[2]) < 7
  return not (current and agent[1] == token) and (agent[1] or '0') or nil
end

-- Returns nil when the fence lets the write pass (no name: no fence), else the
-- highest token. Call it before the first write of the script.
local function stale_fence(name, token)
  if name == '' then return nil end
  if string.byte(name) == 1 then
    local kind, rest = string.match(name, '^.(%a+)/(.*)$')
    return (kind == 'locks' and lock_token or session_token)(rest, token)
  end
  local highest = C('GET', P..'fn:'..name)
  if highest and tonumber(token) < tonumber(highest) then return highest end
  C('SET', P..'fn:'..name, token, 'PX', 86400000)
  return nil
end
