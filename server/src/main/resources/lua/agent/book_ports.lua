-- Books ports of a host, going round the range so that one that was freed rests.
--
-- ARGV  1 host, 2 agent, 3 booking, 4 how many (at most 16), 5 and 6 first and last
--       port of the range, 7 when to look into it if it is not confirmed, us from now
-- Reply {'OK', now us, port...}; {'PORTS'} when there are not as many
--#include agent/host_ports
local host, first, last = ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6])
local bits, key = P..'ag:hb:'..host, P..'ag:hp:'..host

-- The search below sees no further than the string goes.
local beyond = math.floor(last / 8) * 8 + 7
if C('STRLEN', bits) * 8 <= beyond then C('SETBIT', bits, beyond, 0) end

local function free_between(from, to)
  while from <= to and from % 8 ~= 0 do
    if C('GETBIT', bits, from) == 0 then return from end
    from = from + 1
  end
  if from > to then return nil end
  local found = C('BITPOS', bits, 0, int(from / 8), int(math.floor(to / 8)))
  return found >= 0 and found <= to and found or nil
end

local start = tonumber(C('HGET', key, 'next') or first)
if start < first or start > last then start = first end
local ports, holder = {}, ARGV[3]..'\n0\n'..ARGV[2]
for i = 1, ARGV[4] do
  local port = free_between(start, last) or free_between(first, start - 1)
  if not port then break end
  C('SETBIT', bits, port, 1)
  ports[i] = port
  start = port < last and port + 1 or first
end
if #ports < tonumber(ARGV[4]) then
  for _, port in ipairs(ports) do C('SETBIT', bits, port, 0) end
  if C('EXISTS', key) == 0 then C('DEL', bits) end
  return {'PORTS'}
end
for _, port in ipairs(ports) do C('HSET', key, port, holder) end
C('HSET', key, 'next', start)
C('ZADD', P..'ag:booked', int(US + ARGV[7]),
  ARGV[3]..'\n'..ARGV[2]..'\n'..host..'\n'..table.concat(ports, ' '))
return {'OK', int(US), unpack(ports)}
