-- Gives an agent's session a command, and rings for it.
--
-- ARGV  1 agent, 2 fence name, 3 fence token, 4 request id, 5 digest, 6 token that
--       has to be current (0: any), 7 AgentCommand as far as the caller has to say, 8
--       lifetime us, 9 most, 10 kind
-- Reply {'OK', AgentCommand}; {'NOT_FOUND'}; {'SESSION'}; {'LIMIT', most};
--       {'STALE_FENCE', highest}; {'REUSED'}
--#include agent/agent
--#include common/request
--#include common/fence
local id, lifetime = ARGV[1], tonumber(ARGV[8])
local answer = replay('CommandAgent', ARGV[4], ARGV[5])
if answer then return answer end
local a = load_agent(id)
if not a then return {'NOT_FOUND'} end
if a.st == TERMINATED or a.st == LOST then return {'SESSION'} end
if ARGV[6] ~= '0' and a.tok ~= ARGV[6] then return {'SESSION'} end
local key = commands_key(id, a.tok)
if C('ZCARD', key) >= tonumber(ARGV[9]) then
  for _, old in ipairs(C('ZRANGE', key, 0, -1)) do
    if tonumber(string.match(old, '^%d+')) <= US then C('ZREM', key, old) end
  end
  if C('ZCARD', key) >= tonumber(ARGV[9]) then return {'LIMIT', ARGV[9]} end
end
local highest = stale_fence(ARGV[2], ARGV[3])
if highest then return {'STALE_FENCE', highest} end
local number = C('HINCRBY', agent_key(id), 'cn', 1)
local command = pb_int(1, number)..pb_time(2, US)..pb_time(3, US + lifetime)..ARGV[7]
C('ZADD', key, number, int(US + lifetime)..'|'..command)
local millis = math.ceil(lifetime / 1000)
if C('PTTL', key) < millis then C('PEXPIRE', key, int(millis)) end
tell('commanded', id, a, ARGV[10])
C('PUBLISH', P..'bell', 'a\n'..id..'\n'..a.tok)
return remember('CommandAgent', ARGV[4], ARGV[5], {'OK', command})
