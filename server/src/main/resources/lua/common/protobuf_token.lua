-- A fencing token as a Protobuf field. It counts microseconds, and those take eight
-- bytes from 1987 to 4253, so that no loop is needed and one string is made.
local function pb_token(field, n)
  local a = n % 128
  n = (n - a) / 128
  local b = n % 128
  n = (n - b) / 128
  local c = n % 128
  n = (n - c) / 128
  local d = n % 128
  n = (n - d) / 128
  local e = n % 128
  n = (n - e) / 128
  local f = n % 128
  n = (n - f) / 128
  local g = n % 128
  return string.char(field * 8, a + 128, b + 128, c + 128, d + 128, e + 128, f + 128, g + 128,
    (n - g) / 128)
end
