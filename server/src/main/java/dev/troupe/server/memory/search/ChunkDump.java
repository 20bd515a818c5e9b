package dev.troupe.server.memory.search;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A chunk in a dump: column by column, the versions alive at one sequence number. */
final class ChunkDump {

  /** Of the seven columns that every chunk has. */
  private static final int SLOT_BYTES = 7 * Long.BYTES;

  private ChunkDump() {}

  /** Writes those that readers of a sequence number see; the caller is one. */
  static void write(Chunk chunk, long sequence, DumpWriter out) throws IOException {
    int used = chunk.used;
    long[] born = new long[used];
    long[] expires = new long[used];
    for (int at = 0; at < used; at++) {
      born[at] = chunk.isAlive(at, sequence) ? chunk.bornAt(at) : Chunk.NOT_YET;
      expires[at] = chunk.expiry(at);
    }
    out.number(chunk.dimension);
    out.number(used);
    out.column(born, used);
    out.column(expires, used);
    out.column(chunk.created, used);
    out.column(chunk.updated, used);
    out.column(chunk.importance, used);
    out.column(chunk.signaturesLow, used);
    out.column(chunk.signaturesHigh, used);
    if (chunk.dimension > 0) {
      writeVectors(chunk, used, out);
    }
    for (int at = 0; at < used; at++) {
      StoredItem item = chunk.items[at];
      if (born[at] != Chunk.NOT_YET && item != null) {
        writeItem(item, out);
      }
    }
  }

  private static void writeVectors(Chunk chunk, int used, DumpWriter out) throws IOException {
    out.column(new float[] {chunk.mostError, chunk.mostReach}, 2);
    out.column(chunk.vectors, chunk.dimension * used);
    out.column(chunk.scales, used);
    out.column(chunk.errors, used);
    out.column(chunk.reaches, used);
    out.column(chunk.rests, used);
    out.column(chunk.squared, used);
    for (int part = 0; part < chunk.codes.length; part++) {
      out.column(chunk.codes[part], chunk.width(part) * used);
    }
  }

  private static void writeItem(StoredItem item, DumpWriter out) throws IOException {
    out.text(item.id());
    out.number(item.hasText() ? 1 : 0);
    out.text(item.tier());
    out.text(item.source());
    out.number(item.tags().size());
    for (String tag : item.tags()) {
      out.text(tag);
    }
    out.number(item.attributes().size());
    for (Map.Entry<String, String> attribute : item.attributes().entrySet()) {
      out.text(attribute.getKey());
      out.text(attribute.getValue());
    }
  }

  /** Reads one; slots of versions that were dead are empty. */
  static Chunk read(DumpReader in) throws IOException {
    int dimension = (int) in.number();
    int used = in.count(SLOT_BYTES);
    if (dimension < 0 || dimension > IndexSettings.MAX_DIMENSION || used > Chunk.SIZE) {
      throw new IOException("damaged: a chunk of " + used + " slots");
    }
    Chunk chunk = Chunk.withRoomFor(used, dimension);
    long[] born = new long[used];
    long[] expires = new long[used];
    in.column(born, used);
    in.column(expires, used);
    in.column(chunk.created, used);
    in.column(chunk.updated, used);
    in.column(chunk.importance, used);
    in.column(chunk.signaturesLow, used);
    in.column(chunk.signaturesHigh, used);
    if (dimension > 0) {
      readVectors(chunk, used, in);
    }
    chunk.used = used;
    for (int at = 0; at < used; at++) {
      if (born[at] != Chunk.NOT_YET) {
        chunk.items[at] = readItem(chunk, at, in);
        chunk.revive(at, born[at], expires[at]);
      }
    }
    return chunk;
  }

  private static void readVectors(Chunk chunk, int used, DumpReader in) throws IOException {
    float[] most = new float[2];
    in.column(most, 2);
    chunk.mostError = most[0];
    chunk.mostReach = most[1];
    in.column(chunk.vectors, chunk.dimension * used);
    in.column(chunk.scales, used);
    in.column(chunk.errors, used);
    in.column(chunk.reaches, used);
    in.column(chunk.rests, used);
    in.column(chunk.squared, used);
    for (int part = 0; part < chunk.codes.length; part++) {
      in.column(chunk.codes[part], chunk.width(part) * used);
    }
  }

  private static StoredItem readItem(Chunk chunk, int at, DumpReader in) throws IOException {
    String id = in.text();
    boolean hasText = in.number() != 0;
    String tier = in.text().intern();
    String source = in.text();
    return new StoredItem(
        id,
        hasText,
        readTags(in),
        tier,
        source,
        chunk.importance[at],
        chunk.created[at],
        chunk.updated[at],
        readAttributes(in));
  }

  private static Set<String> readTags(DumpReader in) throws IOException {
    int count = in.count(Long.BYTES);
    Set<String> tags = new HashSet<>();
    for (int i = 0; i < count; i++) {
      tags.add(in.text());
    }
    return Set.copyOf(tags);
  }

  private static Map<String, String> readAttributes(DumpReader in) throws IOException {
    int count = in.count(2 * Long.BYTES);
    Map<String, String> attributes = new HashMap<>();
    for (int i = 0; i < count; i++) {
      String name = in.text();
      @Nullable String twice = attributes.put(name, in.text());
      if (twice != null) {
        throw new IOException("damaged: an attribute twice");
      }
    }
    return Map.copyOf(attributes);
  }
}
