-- What a namespace says where its spaces do not. Each partition has it, as a script sees only one;
-- the first is where it is changed, and of two versions the one that was made later counts.
--
-- me:def  HASH  v version, u when it last changed, us, set encoded SpaceSettings, cfg what scripts
--               need of them, packed as CFG_* say (-1: not given), at name of the space up to
--               which the sweeper has looked at quotas, while it has not at all of them
--#include memory/space
local function write_defaults(version, us, settings, text)
  C('HSET', P..'me:def', 'v', version, 'u', us, 'set', settings, 'cfg', pack(parse_settings(text)), 'at', '')
end

local function defaults_row()
  local f = C('HMGET', P..'me:def', 'v', 'u', 'set')
  return {f[1] or '0', f[2] or '0', f[3] or ''}
end
