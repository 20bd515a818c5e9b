package dev.troupe.server.event.history;

import io.grpc.ManagedChannel;
import java.util.List;

/** The servers and the Redis of a run, and what can be done to them. */
public interface Machines {

  /** To each server. */
  List<ManagedChannel> channels();

  /** SIGKILL to a server. */
  void kill(int server) throws Exception;

  /** A new start of a server that was killed. */
  void start(int server) throws Exception;

  /** SIGSTOP to a server, or SIGCONT. */
  void hold(int server, boolean hold) throws Exception;

  /** SIGSTOP to Redis, or SIGCONT. */
  void holdRedis(boolean hold) throws Exception;

  /**
   * What the servers do at this moment, for whoever looks for the reason why they do not answer.
   */
  String threads() throws Exception;

  /** What Redis answers to an inline command; empty when it does not. */
  String ask(String command);

  /** Whether a crash of Redis may take what it answered. */
  boolean mayLose();

  /**
   * SIGKILL to Redis, and a new start after a while.
   *
   * @param share of what it wrote within the last second and may not have on disk yet, how much is
   *     lost: 0 to 1. Nothing is when all is on disk before it answers
   * @param remains is told what its file has
   */
  RedisCrash crash(double share, long downMillis, RedisCrash.Remains remains) throws Exception;
}
