package dev.troupe.server.agent;

import dev.troupe.server.redis.Partition;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Ports of a host that are kept for a session to be given to.
 *
 * @param partition that of the host's name
 * @param id names this booking, and nothing else ever
 * @param madeMicros when it was made, microseconds since 1970
 */
record PortBooking(
    Partition partition,
    String host,
    String agentId,
    String id,
    long madeMicros,
    List<Integer> ports) {

  /** How the host's partition keeps it. */
  String entry() {
    return String.join(
        "\n",
        id,
        agentId,
        host,
        ports.stream().map(String::valueOf).collect(Collectors.joining(" ")));
  }

  static PortBooking of(Partition partition, String entry) {
    String[] parts = entry.split("\n", 4);
    List<Integer> ports = Arrays.stream(parts[3].split(" ", -1)).map(Integer::valueOf).toList();
    return new PortBooking(partition, parts[2], parts[1], parts[0], 0, ports);
  }

  /** Its ports, one by one. */
  List<HeldPort> held() {
    return ports.stream().map(port -> new HeldPort(host, port, id)).toList();
  }

  /** A port of a host, under the booking that it was leased by. */
  record HeldPort(String host, int port, String booking) {}
}
