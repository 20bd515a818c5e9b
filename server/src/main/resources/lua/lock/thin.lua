-- A lock that is held by one owner, exclusively, once and without a session, while nobody waits
-- for it: most are never anything else, and come and go as a string. Whoever makes more of such
-- a lock makes it a hash first, see thicken() in lock/lock.
--
-- lk:l:<name>  STRING  lease id, token, granted us, LockChange without its kind, and the rest:
--                      ttl us, member of lk:ix, call that it was granted to, digest of the
--                      request, LockLease
local THIN_REST = '>dHc0Hc0Hc0'
local THIN = '>c22ddHc0dHc0Hc0Hc0'
-- From byte 39 on: LockChange, ttl, member.
local THIN_CHANGE = '>Hc0dHc0'

-- The owner, from the member of lk:ix.
local function thin_owner(member, name) return string.sub(member, 3, -25 - #name) end

-- What a token is as Protobuf, but for the field's number and the lowest byte.
local function thin_tail(n)
  local bytes = {}
  n = (n - n % 128) / 128
  for i = 1, 6 do
    bytes[i] = n % 128 + 128
    n = (n - n % 128) / 128
  end
  bytes[7] = n
  return string.char(unpack(bytes))
end
