-- What is known of a space, as MemoryCodec reads it.
--#include memory/space
local function space_row()
  local f = C('HMGET', S..'s', 'set', 'v', 'u', 'own', 't')
  return {NAME, f[1], f[2], space.g, f[3], int(space.d), int(space.n), int(space.b), int(space.r), f[4],
    C('HGET', P..'me:def', 'set') or '', f[5]}
end
