package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.RedisConfig;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Dumps of indexes on the disk, so that a server that starts again need not read everything from
 * Redis. Redis is the truth: a dump that does not belong to its log, or is damaged, is not used,
 * and to lose one costs time only.
 *
 * <p>There is one file for each partition, replaced as a whole. One process at a time has a
 * directory. Finding, reading and writing block: not for event loops.
 */
final class IndexDumps implements Service {

  private static final Logger log = LoggerFactory.getLogger(IndexDumps.class);
  private static final String NEW = ".new";
  private static final Pattern DRAFT = Pattern.compile(".+-\\d+\\.index\\.new");

  /** What is left of the disk to others. */
  private static final long LEAVE_BYTES = 256L << 20;

  private final @Nullable Path wanted;

  /** Null while there is none, or somebody else has it. */
  private volatile @Nullable Path directory;

  private volatile @Nullable FileChannel lock;

  @Inject
  IndexDumps(MemoryConfig config, RedisConfig redis, Lifecycle lifecycle) {
    wanted = config.indexSaveInterval().isZero() ? null : chosen(config, redis);
    lifecycle.register("memory-dumps", this);
  }

  /** Beside the data of our own Redis; elsewhere only where somebody wants it. */
  private static @Nullable Path chosen(MemoryConfig config, RedisConfig redis) {
    if (!config.indexDir().isEmpty()) {
      return Path.of(config.indexDir());
    }
    return redis.embedded() ? redis.dataDir().resolve("memory-index") : null;
  }

  @Override
  public CompletionStage<?> start() {
    if (wanted != null) {
      try {
        take(wanted.toAbsolutePath().normalize());
      } catch (IOException e) {
        log.warn(
            "memory.index-dir: {}; no dumps of indexes are kept, and a restart takes longer",
            told(e));
      } catch (UnsupportedOperationException e) {
        log.warn("memory.index-dir: {}: no dumps are kept where files have no owner", wanted);
      }
    }
    return CompletableFuture.completedFuture(null);
  }

  private void take(Path root) throws IOException {
    if (!Files.exists(root)) {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    FileChannel channel =
        FileChannel.open(
            root.resolve("memory-index.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!isFree(channel)) {
      channel.close();
      throw new IOException(root + " is in use by another server");
    }
    lock = channel;
    for (Path draft : drafts(root)) {
      Files.delete(draft);
    }
    directory = root;
  }

  private static boolean isFree(FileChannel channel) throws IOException {
    try {
      @Nullable FileLock taken = channel.tryLock();
      return taken != null;
    } catch (OverlappingFileLockException ours) {
      return false;
    }
  }

  /** What servers left that were killed while they wrote. */
  private static List<Path> drafts(Path root) throws IOException {
    try (Stream<Path> all = Files.list(root)) {
      return all.filter(path -> DRAFT.matcher(path.getFileName().toString()).matches())
          .filter(Files::isRegularFile)
          .toList();
    }
  }

  @Override
  public CompletionStage<?> stop(Duration grace) throws IOException {
    directory = null;
    FileChannel held = lock;
    if (held != null) {
      held.close();
    }
    return CompletableFuture.completedFuture(null);
  }

  /** Whether any are kept. */
  boolean areKept() {
    return directory != null;
  }

  /** The dump of a partition, if there is one that can be read. */
  Optional<IndexDump> find(Partition partition) {
    Path root = directory;
    if (root == null || !Files.exists(file(root, partition))) {
      return Optional.empty();
    }
    try {
      return Optional.of(IndexDump.open(file(root, partition), partition));
    } catch (IOException e) {
      refuse(partition, e);
      return Optional.empty();
    }
  }

  /** A dump that cannot be used is of no use later either, and says what may be forgotten. */
  void refuse(Partition partition, IOException why) {
    log.warn(
        "the dump of the index of {} is not used, everything is read from Redis: {}",
        partition,
        told(why));
    try {
      delete(partition);
    } catch (IOException e) {
      log.warn("nor can it be deleted: {}", told(e));
    }
  }

  /**
   * Begins a dump, which takes the place of the one there is when it is committed.
   *
   * @param bytes that it will have, about
   * @throws IOException if none are kept, there is no room for it, or it cannot be written
   */
  NewDump begin(Partition partition, long bytes) throws IOException {
    Path root = root();
    long room = Files.getFileStore(root).getUsableSpace();
    if (room < bytes + LEAVE_BYTES) {
      throw new IOException("the disk has only " + (room >> 20) + " MiB left");
    }
    Path file = file(root, partition);
    return new NewDump(partition, file, root.resolve(file.getFileName() + NEW));
  }

  /** Says that the dump there is holds for another place of the log, too. */
  void move(Partition partition, DumpHeader header) throws IOException {
    try (FileChannel file = FileChannel.open(file(root(), partition), StandardOpenOption.WRITE)) {
      header.write(file);
    }
  }

  /** Removes the dump of a partition, if there is one. */
  void delete(Partition partition) throws IOException {
    Files.deleteIfExists(file(root(), partition));
  }

  private Path root() throws IOException {
    Path root = directory;
    if (root == null) {
      throw new IOException("no indexes are kept on the disk");
    }
    return root;
  }

  private static Path file(Path root, Partition partition) {
    return root.resolve(partition.namespace() + "-" + partition.index() + ".index");
  }

  /** What went wrong with a file, in words. */
  static String told(IOException failure) {
    if (failure instanceof NoSuchFileException missing) {
      return missing.getFile() + ": no such file or directory";
    }
    if (failure instanceof FileSystemException about && about.getReason() != null) {
      return about.getFile() + ": " + about.getReason();
    }
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
