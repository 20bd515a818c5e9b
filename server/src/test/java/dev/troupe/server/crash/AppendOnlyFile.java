package dev.troupe.server.crash;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What Redis writes while it has no reason to write the file anew: commands one after the other,
 * those of a script between MULTI and EXEC.
 */
final class AppendOnlyFile {

  private final Path path;

  AppendOnlyFile(Path path) {
    this.path = path;
  }

  long size() throws IOException {
    return Files.size(path);
  }

  /** Loses what is behind so many bytes. */
  void cut(long size) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(size);
    }
  }

  /** Hears of each command that is there with all of its transaction. */
  interface Listener {

    /** A command, and where its transaction ends in the file. */
    void command(List<byte[]> command, long end);
  }

  /**
   * Reads all commands; the last transaction may be torn.
   *
   * @return where the last transaction ends that is whole within so many bytes
   */
  long read(long size, Listener listener) throws IOException {
    Scan scan = new Scan(Files.readAllBytes(path));
    List<List<byte[]>> transaction = new ArrayList<>();
    boolean open = false;
    long whole = 0;
    for (List<byte[]> command = scan.next(); !command.isEmpty(); command = scan.next()) {
      String verb = new String(command.get(0), US_ASCII);
      if (verb.equalsIgnoreCase("MULTI")) {
        open = true;
      } else if (verb.equalsIgnoreCase("EXEC")) {
        open = false;
      } else {
        transaction.add(command);
      }
      if (!open) {
        for (List<byte[]> one : transaction) {
          listener.command(one, scan.at);
        }
        transaction.clear();
        whole = scan.at <= size ? scan.at : whole;
      }
    }
    return whole;
  }

  private static final class Scan {

    private final byte[] bytes;
    private int at;

    Scan(byte[] bytes) {
      this.bytes = bytes;
    }

    /** The next command; empty at the end, and where the file is torn. */
    List<byte[]> next() {
      int begin = at;
      int words = number('*');
      List<byte[]> command = new ArrayList<>();
      for (int i = 0; i < words; i++) {
        int length = number('$');
        if (length < 0 || at + length + 2 > bytes.length) {
          at = begin;
          return List.of();
        }
        command.add(Arrays.copyOfRange(bytes, at, at + length));
        at += length + 2;
      }
      return command;
    }

    /** The number on a line that begins so; -1 when the line is torn. */
    private int number(char first) {
      if (at >= bytes.length) {
        return -1;
      }
      if (bytes[at] != first) {
        throw new IllegalStateException("no append-only file at " + at);
      }
      int value = 0;
      for (int i = at + 1; i + 1 < bytes.length; i++) {
        if (bytes[i] == '\r') {
          at = i + 2;
          return value;
        }
        value = 10 * value + (bytes[i] - '0');
      }
      return -1;
    }
  }
}
