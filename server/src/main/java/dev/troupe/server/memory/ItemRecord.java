package dev.troupe.server.memory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryMerge;
import dev.troupe.v1.MemoryTier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is said of an item, as {@code lua/memory/space} packs it.
 *
 * @param values by the numbers of {@code M_*}, less one
 */
record ItemRecord(List<Object> values) {

  static ItemRecord parse(ByteString packed) {
    return new ItemRecord(PackedValues.array(packed));
  }

  long version() {
    return number(0);
  }

  long revision() {
    return number(1);
  }

  MemoryTier tier() {
    return MemoryTier.forNumber((int) number(2));
  }

  long createdMicros() {
    return number(3);
  }

  long updatedMicros() {
    return number(4);
  }

  /** When it ends, microseconds since 1970; 0 for never. */
  long endsMicros() {
    return number(5);
  }

  /** Whether it is past its lifetime. */
  boolean isOver(long nowMicros) {
    return endsMicros() > 0 && endsMicros() <= nowMicros;
  }

  float importance() {
    return values.get(10) instanceof Double value ? value.floatValue() : number(10);
  }

  String hash() {
    return text(11);
  }

  String source() {
    return text(13);
  }

  List<String> tags() {
    return list(14).stream().map(tag -> ((ByteString) tag).toStringUtf8()).sorted().toList();
  }

  Map<String, String> attributes() {
    List<Object> flat = list(15);
    Map<String, String> attributes = new HashMap<>();
    for (int i = 0; i < flat.size(); i += 2) {
      attributes.put(
          ((ByteString) flat.get(i)).toStringUtf8(), ((ByteString) flat.get(i + 1)).toStringUtf8());
    }
    return attributes;
  }

  private long number(int index) {
    Object value = values.get(index);
    // Lua has only doubles: what is whole may come as either.
    return value instanceof Double real ? real.longValue() : (Long) value;
  }

  private String text(int index) {
    return ((ByteString) values.get(index)).toStringUtf8();
  }

  @SuppressWarnings("unchecked") // The scripts pack a table there.
  private List<Object> list(int index) {
    return (List<Object>) values.get(index);
  }

  /** The item without its content. */
  MemoryItem.Builder toItem(String id) {
    MemoryItem.Builder item =
        MemoryItem.newBuilder()
            .setItemId(id)
            .addAllTags(tags())
            .setImportance(importance())
            .setSource(source())
            .setTier(tier())
            .setContentHash(hash())
            .setVersion(version())
            .setRevision(revision())
            .setCreateTime(Timestamps.fromMicros(createdMicros()))
            .setUpdateTime(Timestamps.fromMicros(updatedMicros()))
            .setReadCount(number(7))
            .setSizeBytes(number(12))
            .setMergeCount(number(17));
    item.putAllAttributes(attributes());
    for (Object merge : list(16)) {
      item.addMerges(merge((ByteString) merge));
    }
    if (endsMicros() > 0) {
      item.setExpireTime(Timestamps.fromMicros(endsMicros()));
    }
    if (number(6) > 0) {
      item.setLifetime(Durations.fromMicros(number(6)));
    }
    if (number(8) > 0) {
      item.setReadTime(Timestamps.fromMicros(number(8)));
    }
    return item;
  }

  /** The whole item. */
  MemoryItem toItem(String id, ByteString content, boolean omitEmbedding) {
    return toItem(id).setContent(content(content, omitEmbedding)).build();
  }

  static MemoryContent content(ByteString bytes, boolean omitEmbedding) {
    try {
      MemoryContent content = MemoryContent.parseFrom(bytes);
      return omitEmbedding ? content.toBuilder().clearEmbedding().build() : content;
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored item cannot be read", e);
    }
  }

  private static MemoryMerge merge(ByteString bytes) {
    try {
      return MemoryMerge.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored merge cannot be read", e);
    }
  }
}
