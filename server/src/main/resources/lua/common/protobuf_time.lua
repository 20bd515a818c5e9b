-- A google.protobuf.Timestamp from microseconds.
--#include common/protobuf
local function pb_time(field, us)
  local seconds = math.floor(us / 1000000)
  return pb_bytes(field, pb_int(1, seconds)..pb_int(2, (us - seconds * 1000000) * 1000))
end
