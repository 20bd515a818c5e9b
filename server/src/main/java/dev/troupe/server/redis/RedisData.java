package dev.troupe.server.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The directory of Redis' data while it is mended: that is done to a copy beside it, which then
 * takes its place. Whoever ends in between leaves the data as it was, or whole.
 */
final class RedisData {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Path data;

  /** What is worked on. */
  private final Path copy;

  /** The same when nothing is left to be done but to put it in its place. */
  private final Path mended;

  RedisData(Path data) {
    this.data = data;
    this.copy = data.resolveSibling(data.getFileName() + "-mending");
    this.mended = data.resolveSibling(data.getFileName() + "-mended");
  }

  /** Copies it. */
  Path copy() throws IOException {
    clear();
    for (Path from : tree(data)) {
      Path to = copy.resolve(data.relativize(from).toString());
      if (Files.isDirectory(from)) {
        Files.createDirectories(to);
      } else {
        Files.copy(from, to);
      }
    }
    return copy;
  }

  /** How many bytes the copy lacks after it was mended. */
  long cut() throws IOException {
    return size(data) - size(copy);
  }

  /** Puts the copy in its place; yields where it is now as it was before. */
  Path replace() throws IOException {
    for (Path file : tree(copy)) {
      force(file);
    }
    Path before = data.resolveSibling(data.getFileName() + "-torn-" + TIME.format(lastWrite()));
    Files.move(copy, mended);
    Files.move(data, before);
    Files.move(mended, data);
    force(data.resolveSibling(""));
    return before;
  }

  /** When the data was written last, which is when it was torn, about. */
  private Instant lastWrite() throws IOException {
    Instant last = Instant.EPOCH;
    for (Path path : tree(data)) {
      Instant written = Files.getLastModifiedTime(path).toInstant();
      last = written.isAfter(last) ? written : last;
    }
    return last;
  }

  /** Puts a mended copy in its place if whoever mended ended just before that. */
  void finishMending() throws IOException {
    if (!Files.exists(data) && Files.exists(mended)) {
      Files.move(mended, data);
    }
    clear();
  }

  private void clear() throws IOException {
    clearCopy();
    delete(mended);
  }

  /** Gives up what was begun, unless it is whole: that may stand in for the data by now. */
  void clearCopy() throws IOException {
    delete(copy);
  }

  /** On its way to the disk, a crash of the machine could tear it again. */
  static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static long size(Path directory) throws IOException {
    long size = 0;
    for (Path path : tree(directory)) {
      size += Files.isRegularFile(path) ? Files.size(path) : 0;
    }
    return size;
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      for (Path path : tree(directory).stream().sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static List<Path> tree(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths.toList();
    } catch (UncheckedIOException e) {
      throw new IOException("cannot list " + directory, e);
    }
  }
}
