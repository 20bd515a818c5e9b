-- A queue: its keys. What several scripts do with them is in the files beside this
-- one; a script includes only what it uses, for Redis runs every line on every call.
--
-- Names hold no control characters and the queue's name stands behind its
-- length, so no name can reach into another one's key. Q below is
-- `tq:<bytes of the name>:<name>:`.
--
-- tq:names   ZSET    all queues of the partition, score 0
-- tq:due     ZSET    queue -> when the sweep has to look at it next, us
-- tq:w:<worker>  ZSET  queues that a worker opened a stream of or leased from by call,
--                    score 0; expires after two hours without either
-- bell       CHANNEL 'r\n<queue>' work arrived; 'c\n<queue>\n<id>\n<token>\n<worker>'
--                    cancel; 'w\n<queue>\n<worker>\n<epoch>' a newer stream; others
--                    are for other features
-- Q meta     HASH    ct created us, mode P|D, fence last token, vt virtual time,
--                    granted leases so far, cfg settings (Protobuf), aging us, maxc,
--                    ret ms, maxdead, rmax/rini/rcap/rnr retry defaults (us),
--                    weighted '1' when there are weights
-- Q weights  HASH    fairness key -> weight
-- Q stat     HASH    counters: enqueued, purged, succeeded (tasks and attempts: each
--                    makes the other), dead, cancelled, quarantined, a_failed,
--                    a_expired, a_released, a_cancelled
-- Q t:<id>   HASH    one task; expires with its retention once ended
-- Q classes  SET     signatures (sorted `requires`) that have READY tasks
-- Q c:<sig>  ZSET    fairness keys with READY tasks of that signature -> virtual time
-- Q r:<bytes of sig>:<sig>:<fairness key>  ZSET  READY tasks; score = us - priority * aging
-- Q vt       ZSET    fairness keys without READY tasks -> virtual time; at most 10,000
-- Q delayed  ZSET    DELAYED tasks -> when they become READY, us
-- Q leases   ZSET    LEASED tasks -> when the lease runs out, us: the only definition of running
-- Q timers   ZSET    'q|<id>' queue lifetime, 'd|<id>' total deadline -> us
-- Q end:<S|X|C|Z>  ZSET  ended tasks -> when their record expires, us
-- Q dd:<key> STRING  dedupe key -> task id
-- Q w:<worker>  HASH  '\n' -> epoch of its newest stream; task id -> '<token>|<epoch>'
--
-- A task's hash: st state (W D R L S X C Z); h header (see task/header), p spec
-- (Protobuf); ct, bt, ft, ra created, begun, finished, run-at us; sc score if not ct;
-- rt retention ms if not the queue's; at attempts, fl failures, lo losses, lw workers
-- that lost it, re releases; tok, wk, ak current or last attempt: token, worker, the
-- token again once acknowledged; sd stall and td total deadline us; ck checkpoint, pr
-- progress, r result, e failure (Protobuf); cx cancel reason; etok, eo, es, et last
-- failure or release reported: token, outcome, state and time answered. A completion
-- needs none of these: the state is S, the token tok, the outcome r.
--#include common/prelude
local NAME, Q
local function enter(queue)
  NAME, Q = queue, P..'tq:'..#queue..':'..queue..':'
end

-- No task id holds a line feed, so this field of `w:` cannot be one.
local EPOCH = '\n'

local function look_at(us) C('ZADD', P..'tq:due', 'LT', int(us), NAME) end
