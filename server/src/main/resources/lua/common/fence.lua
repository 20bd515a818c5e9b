-- Refuses a writer whose fencing token is not, or no longer, the highest.
--
-- fn:<name>  STRING  highest token seen, kept for 24 hours after its last use
--
-- A name that begins with \1 is that of a grant in this partition, a lock's or a session's:
-- then only a token that is current passes.
--#include common/prelude
local function lasts(id, name)
  local due = C('ZSCORE', P..'lk:due', id..name)
  return due and tonumber(due) > US
end

-- However many hold it: leases that others may have beside it are found by their tokens.
local function lock_token(name, token)
  local key = P..'lk:l:'..name
  -- As in lock/thin; of a hash, this gets nothing.
  local thin = C('MGET', key)[1]
  if thin then
    local id, held = struct.unpack('>c22d', thin)
    if not lasts(id, name) then return '0' end
    held = int(held)
    return held ~= token and held or nil
  end
  local v = C('HMGET', key, 's', 'h', 't'..token)
  if not v[1] then return '0' end
  if string.sub(v[1], 1, 2) ~= '1 ' then
    return not (v[3] and lasts(v[3], name)) and (v[2] or '0') or nil
  end
  local highest, fields = '0', C('HGETALL', key)
  for i = 1, #fields, 2 do
    local id = string.match(fields[i], '^g(.*)$')
    if id and lasts(id, name) then
      highest = int(cmsgpack.unpack(fields[i + 1])[3])
      if highest == token then return nil end
    end
  end
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
