package dev.troupe.server.crash;

import dev.troupe.server.event.history.EventHistoryRun;
import dev.troupe.server.event.history.Machines;
import dev.troupe.server.event.history.RedisCrash;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Two servers before a Redis that writes every change to its append-only file.
 *
 * <p>To kill a process loses nothing that it has written: the operating system has it. So with
 * {@code everysec} the crash of a machine is played by cutting off the end of the file. What is
 * left of a transaction that is torn is cut off too, as {@code redis-check-aof --fix} does: Redis
 * would leave it there, and after its next crash take half of it for whole.
 */
final class HistoryMachines implements Machines, AutoCloseable {

  private static final int LINES_OF_A_FAULT = 30;

  private final boolean mayLose;
  private final RedisProcess redis;
  private final AppendOnlyFile file;
  private final WrittenBytes written;
  private final List<TroupeProcess> servers;
  private final List<ManagedChannel> channels;

  /** Starts all, with a Redis that is told when to wait for the disk: always or everysec. */
  HistoryMachines(String fsync) throws Exception {
    mayLose = !fsync.equals("always");
    redis =
        RedisProcess.redis(
            "--appendonly",
            "yes",
            "--appendfsync",
            fsync,
            // Written anew, the file would not tell what happened when.
            "--auto-aof-rewrite-percentage",
            "0");
    file = new AppendOnlyFile(redis.file("appendonly.aof"));
    written = new WrittenBytes(file);
    // What one keeps in memory is soon left behind by whoever is slow.
    servers = List.of(server("64KiB"), server("64MiB"));
    channels = servers.stream().map(TroupeProcess::channel).toList();
  }

  private TroupeProcess server(String ring) throws Exception {
    return new TroupeProcess(
        "--redis.url=redis://127.0.0.1:" + redis.port,
        "--redis.partitions=" + EventHistoryRun.PARTITIONS,
        "--log.ring-bytes=" + ring);
  }

  @Override
  public List<ManagedChannel> channels() {
    return channels;
  }

  @Override
  public void kill(int server) throws Exception {
    servers.get(server).kill();
  }

  @Override
  public void start(int server) throws Exception {
    servers.get(server).startAgain();
    // Or clients would stay away from it for longer and longer.
    channels.get(server).resetConnectBackoff();
  }

  @Override
  public void hold(int server, boolean hold) throws Exception {
    servers.get(server).hold(hold);
  }

  @Override
  public void holdRedis(boolean hold) throws Exception {
    redis.hold(hold);
  }

  @Override
  public String threads() throws Exception {
    StringBuilder all = new StringBuilder();
    for (TroupeProcess server : servers) {
      all.append("Threads of the server at ").append(server.port).append(":\n");
      all.append(server.threads()).append('\n');
    }
    return all.append(redis.ask("CLIENT LIST")).toString();
  }

  @Override
  public String ask(String command) {
    return redis.ask(command);
  }

  @Override
  public boolean mayLose() {
    return mayLose;
  }

  @Override
  public RedisCrash crash(double share, long downMillis, RedisCrash.Remains remains)
      throws Exception {
    long killedNanos = System.nanoTime();
    long onDisk = written.onDisk();
    redis.kill();
    long size = file.size();
    long left = mayLose ? size - (long) (share * (size - onDisk)) : size;
    file.cut(file.read(left, (command, end) -> remains.command(command, end <= left)));
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(downMillis));
    redis.startAgain();
    written.restarted();
    return remains.crash(killedNanos, System.nanoTime(), mayLose);
  }

  /** What servers said of faults of their own, and right after that. */
  List<String> faults() {
    List<String> faults = new ArrayList<>();
    for (TroupeProcess server : servers) {
      List<String> log = server.log();
      for (int i = 0; i < log.size(); i++) {
        if (log.get(i).contains(" ERROR ")) {
          List<String> some = log.subList(i, Math.min(log.size(), i + LINES_OF_A_FAULT));
          faults.add(String.join("\n", some));
        }
      }
    }
    return faults;
  }

  @Override
  public void close() throws Exception {
    channels.forEach(ManagedChannel::shutdownNow);
    written.close();
    for (TroupeProcess server : servers) {
      server.close();
    }
    redis.close();
  }
}
