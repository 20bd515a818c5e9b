-- Frees ports of a host, as far as they are still those of their bookings.
--
-- ARGV  1 host, 2 entry of ag:booked that is settled by that ('' none), then per port:
--       port, booking
-- Reply {'OK'}
--#include agent/host_ports
if ARGV[2] ~= '' then C('ZREM', P..'ag:booked', ARGV[2]) end
for i = 3, #ARGV, 2 do free_port(ARGV[1], ARGV[i], ARGV[i + 1]) end
return {'OK'}
