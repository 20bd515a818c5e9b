package dev.troupe.server.event.history;

import dev.troupe.server.redis.Partition;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * Keeps logs short, as a small limit would: of each it leaves the newest few, or none at all.
 *
 * <p>A reader that saw what a crash of Redis then took knows by what came in its place. A log that
 * is trimmed beyond that cannot tell, so it is not.
 */
final class LogTrimmer implements Runnable {

  private static final int PACE_MILLIS = 100;
  private static final String NEVER = "9007199254740992";

  /** Yields id and sequence of the newest entry to drop: not of the last few, nor of the spared. */
  private static final String NEWEST_TO_DROP =
      "local left, spared = tonumber(ARGV[1]), tonumber(ARGV[2]) "
          + "local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', left + 1)[left + 1] "
          + "if e and tonumber(string.match(e[1], '%d+')) >= spared then "
          + "local before = string.format('%.0f', spared - 1) "
          + "e = redis.call('XREVRANGE', KEYS[1], before, '-', 'COUNT', 1)[1] end "
          + "if not e then return '' end "
          + "for i = 1, #e[2], 2 do "
          + "if e[2][i] == 's' then return e[1]..' '..e[2][i + 1] end end";

  private final UnaryOperator<String> redis;
  private final List<Partition> partitions;
  private final int mostEntries;
  private final BooleanSupplier goOn;
  private final Trims trims;
  private final Random random;
  private String sparedFromMillis = NEVER;

  /**
   * Prepares one.
   *
   * @param redis answers commands; nothing while it is away
   * @param mostEntries it leaves at most so many, and often fewer
   * @param trims is told of all that it drops
   */
  LogTrimmer(
      UnaryOperator<String> redis,
      List<Partition> partitions,
      int mostEntries,
      BooleanSupplier goOn,
      Trims trims,
      long seed) {
    this.redis = redis;
    this.partitions = partitions;
    this.mostEntries = mostEntries;
    this.goOn = goOn;
    this.trims = trims;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (goOn.getAsBoolean()) {
      partitions.forEach(this::trim);
      Pause.millis(random.nextInt(2 * PACE_MILLIS));
    }
  }

  /** From now on, what comes from now on stays. */
  synchronized void spareWhatComes() {
    String[] time = redis.apply("TIME").split("\n", -1);
    if (time.length < 5) {
      throw new IllegalStateException("Redis does not tell the time: " + String.join(" ", time));
    }
    if (sparedFromMillis.equals(NEVER)) {
      sparedFromMillis =
          Long.toString(1000 * Long.parseLong(time[2]) + Long.parseLong(time[4]) / 1000);
    }
  }

  private synchronized void trim(Partition partition) {
    String log = partition.key("log");
    String left = Integer.toString(random.nextInt(mostEntries + 1));
    String[] answer =
        redis
            .apply("EVAL \"" + NEWEST_TO_DROP + "\" 1 " + log + " " + left + " " + sparedFromMillis)
            .split("\n", -1);
    if (answer[0].startsWith("-") && !answer[0].startsWith("-LOADING")) {
      throw new IllegalStateException("Redis answers " + answer[0]);
    }
    boolean isWhole = answer.length > 2 && answer[2].startsWith("+OK");
    String[] newest = isWhole ? answer[1].split("[- ]", -1) : new String[0];
    if (newest.length < 3) {
      return;
    }
    long upTo = Long.parseLong(newest[2]);
    String oldestToKeep = newest[0] + "-" + (Long.parseLong(newest[1]) + 1);
    trims.asked(partition.index(), upTo);
    if (redis.apply("XTRIM " + log + " MINID " + oldestToKeep).startsWith(":")) {
      trims.done(partition.index(), upTo);
    }
  }
}
