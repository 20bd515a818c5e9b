-- Protobuf by hand: fields of an encoded message can simply be strung together.
-- What does not depend on Redis is better encoded by the server.
local function pb_varint(n)
  if n < 128 then return string.char(n) end
  -- One string at the end: each one on the way would be garbage.
  local bytes, i = {}, 0
  while n >= 128 do
    local low = n % 128
    i = i + 1
    bytes[i] = low + 128
    n = (n - low) / 128
  end
  bytes[i + 1] = n
  return string.char(unpack(bytes))
end
local function pb_int(field, n)
  if n == 0 then return '' end
  return string.char(field * 8)..pb_varint(n)
end
local function pb_bytes(field, s)
  if s == '' then return '' end
  if #s < 128 then return string.char(field * 8 + 2, #s)..s end
  return string.char(field * 8 + 2)..pb_varint(#s)..s
end
