-- A lock that is held by one owner, exclusively, once and without a session, while nobody waits
-- for it: most are never anything else, and come and go as a string. Whoever makes more of such
-- a lock makes it a hash first, see thicken() in lock/lock.
--
-- lk:l:<name>  STRING  lease id, token, granted us, LockChange of its grant, and the rest: ttl us,
--                      member of lk:ix, call that it was granted to, digest of the request,
--                      LockLease
local THIN_REST = '>dHc0Hc0Hc0'
local THIN = '>c22ddHc0dHc0Hc0Hc0'

-- The owner, from the member of lk:ix.
local function thin_owner(member, name) return string.sub(member, 3, -25 - #name) end
