-- Answers a repeated request with its first answer.
--
-- rq:<method>:<request id>  STRING  packed {digest, answer}, kept for 10 minutes, those
--                                   of locks for one
--#include common/prelude
-- Returns the first answer, or nil when this request is new. A request id that
-- comes back with other arguments (another digest) answers {'REUSED'}.
local function replay(method, request_id, digest)
  if request_id == '' then return nil end
  local kept = C('GET', P..'rq:'..method..':'..request_id)
  if not kept then return nil end
  local record = cmsgpack.unpack(kept)
  if record[1] ~= digest then return {'REUSED'} end
  return record[2]
end
local function remember(method, request_id, digest, answer, ms)
  if request_id ~= '' then
    C('SET', P..'rq:'..method..':'..request_id, cmsgpack.pack({digest, answer}), 'PX', ms or 600000)
  end
  return answer
end
