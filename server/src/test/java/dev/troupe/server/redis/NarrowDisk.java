package dev.troupe.server.redis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A {@code redis-server} whose files hold 256 KiB each until there is room: what Redis writes
 * beyond is written in part, as on a full disk, and Redis says "No space left on device".
 */
public final class NarrowDisk {

  private final Path noRoom;
  private final Path binary;

  /**
   * Makes one.
   *
   * @param folder where it is put
   */
  public NarrowDisk(Path folder) throws IOException {
    Path redis = RedisBinary.find("", folder.resolve("bin")).path();
    noRoom = Files.createFile(folder.resolve("no-room"));
    binary =
        Files.createFile(
            folder.resolve("redis-on-narrow-disk"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    // Blocks of 512 bytes. The signal for a file at its limit would end Redis.
    Files.writeString(
        binary,
        "#!/bin/sh\ntrap '' XFSZ\n[ -e '%s' ] && ulimit -f 512\nexec '%s' \"$@\"\n"
            .formatted(noRoom, redis));
  }

  /** For {@code redis.binary}. */
  public Path binary() {
    return binary;
  }

  /** From its next start on Redis has room. */
  public void makeRoom() throws IOException {
    Files.delete(noRoom);
  }
}
