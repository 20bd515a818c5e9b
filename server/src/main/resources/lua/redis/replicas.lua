-- Writes, so that a WAIT behind it on the same connection covers all that was written
-- before, and says how many replicas are connected.
--
-- synced  STRING  when the last such write was, in us; kept for a minute
--
-- Reply {'OK', replicas}
--#include common/prelude
C('SET', P..'synced', int(US), 'PX', 60000)
return {'OK', tonumber(string.match(C('INFO', 'replication'), 'connected_slaves:(%d+)') or 0)}
