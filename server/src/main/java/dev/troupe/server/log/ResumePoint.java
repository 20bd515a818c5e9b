package dev.troupe.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.v1.ErrorReason;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * Where a stream stands in each partition that it reads, and the token that says so: opaque,
 * URL-safe, good on any server, and bound to the namespace and to what the stream is for. The
 * checksum finds mistakes, not forgers: a token gives access to nothing that the call would not.
 *
 * <p>The positions are kept as they are sent, so that a token after each event costs a checksum and
 * an encoding, not a walk over objects. Not thread-safe.
 */
public final class ResumePoint {

  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
  private static final byte VERSION = 1;

  // digest of what the token is bound to, never sent | version | CRC | positions
  private static final int DIGEST = 8;
  private static final int CHECKSUM_AT = DIGEST + 1;
  private static final int POSITIONS_AT = CHECKSUM_AT + 4;
  // partition | epoch | milliseconds | order | sequence
  private static final int POSITION_BYTES = 2 + 8 + 8 + 4 + 8;

  private final ByteBuffer buffer;
  private final Map<Integer, Integer> places = new LinkedHashMap<>();

  private ResumePoint(byte[] digest, SortedMap<Integer, LogHead> positions) {
    buffer = ByteBuffer.allocate(POSITIONS_AT + positions.size() * POSITION_BYTES);
    buffer.put(digest).put(VERSION);
    positions.forEach(
        (partition, position) -> {
          int at = POSITIONS_AT + places.size() * POSITION_BYTES;
          places.put(partition, at);
          buffer.putShort(at, partition.shortValue());
          move(partition, position.position(), position.epoch());
        });
  }

  /**
   * A point from positions by partition.
   *
   * @param purpose what kind of stream it is for, with all arguments that must stay the same
   */
  public static ResumePoint of(String namespace, String purpose, Map<Integer, LogHead> positions) {
    return new ResumePoint(digest(namespace, purpose), new TreeMap<>(positions));
  }

  /**
   * The point that a token names.
   *
   * @throws TroupeException INVALID_RESUME_TOKEN when it was altered, or made for something else
   */
  public static ResumePoint parse(String namespace, String purpose, String token) {
    byte[] digest = digest(namespace, purpose);
    try {
      byte[] sent = Base64.getUrlDecoder().decode(token);
      ByteBuffer in = ByteBuffer.allocate(DIGEST + sent.length).put(digest).put(sent);
      int size = in.capacity() - POSITIONS_AT;
      if (size >= 0
          && size % POSITION_BYTES == 0
          && in.get(DIGEST) == VERSION
          && in.getInt(CHECKSUM_AT) == checksum(in)) {
        TreeMap<Integer, LogHead> positions = new TreeMap<>();
        for (int at = POSITIONS_AT; at < in.capacity(); at += POSITION_BYTES) {
          LogPosition position =
              new LogPosition(
                  in.getLong(at + 10),
                  Integer.toUnsignedLong(in.getInt(at + 18)),
                  in.getLong(at + 22));
          positions.put((int) in.getShort(at), new LogHead(position, in.getLong(at + 2)));
        }
        return new ResumePoint(digest, positions);
      }
    } catch (IllegalArgumentException e) {
      // Falls through: not one of ours.
    }
    throw TroupeException.of(
        ErrorReason.ERROR_REASON_INVALID_RESUME_TOKEN,
        "resume_token: not from this stream (expected a token of a call with the same arguments)");
  }

  /** Moves the position in one of the point's partitions. */
  public void move(int partition, LogPosition position, long epoch) {
    Integer at = places.get(partition);
    if (at == null) {
      throw new IllegalArgumentException("not a partition of this point: " + partition);
    }
    buffer
        .putLong(at + 2, epoch)
        .putLong(at + 10, position.millis())
        .putInt(at + 18, (int) position.order())
        .putLong(at + 22, position.sequence());
  }

  /** The positions by partition. */
  public SortedMap<Integer, LogHead> positions() {
    TreeMap<Integer, LogHead> positions = new TreeMap<>();
    places.forEach(
        (partition, at) ->
            positions.put(
                partition,
                new LogHead(
                    new LogPosition(
                        buffer.getLong(at + 10),
                        Integer.toUnsignedLong(buffer.getInt(at + 18)),
                        buffer.getLong(at + 22)),
                    buffer.getLong(at + 2))));
    return positions;
  }

  /** The token for where it stands now. */
  public String token() {
    buffer.putInt(CHECKSUM_AT, checksum(buffer));
    byte[] sent = new byte[buffer.capacity() - DIGEST];
    buffer.get(DIGEST, sent);
    return ENCODER.encodeToString(sent);
  }

  private static int checksum(ByteBuffer buffer) {
    CRC32 crc = new CRC32();
    crc.update(buffer.array(), 0, CHECKSUM_AT);
    crc.update(buffer.array(), POSITIONS_AT, buffer.capacity() - POSITIONS_AT);
    return (int) crc.getValue();
  }

  private static byte[] digest(String namespace, String purpose) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] whole = sha.digest((namespace + '\0' + purpose).getBytes(UTF_8));
      return Arrays.copyOf(whole, DIGEST);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
