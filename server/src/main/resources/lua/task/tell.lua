-- Log entries about tasks: encoded TaskChange messages. Scripts that run for every
-- task are given theirs by the server instead, as far as it knows them.
--#include task/queue
--#include common/log
--#include common/protobuf
local function tell(kind, id, state, token, worker, reason, more)
  -- In here, so that a script that tells nothing does not build them.
  local kinds = {
    enqueued = 1, ready = 2, leased = 3, completed = 4, failed = 5, expired = 6, released = 7,
    cancel_requested = 8, cancelled = 9, dead = 10, quarantined = 11, redriven = 12, purged = 13,
    progressed = 14
  }
  local states = {W = 1, D = 2, R = 3, L = 4, S = 5, X = 6, C = 7, Z = 8}
  emit('troupe.tasks', 'task.'..kind, NAME..'/'..id,
    pb_int(1, kinds[kind])..pb_bytes(2, NAME)..pb_bytes(3, id)..pb_int(4, states[state])
      ..pb_int(5, tonumber(token) or 0)..pb_bytes(6, worker or '')..pb_bytes(7, reason or '')
      ..(more or ''))
end
