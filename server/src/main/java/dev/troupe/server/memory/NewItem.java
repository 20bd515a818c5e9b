package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryScripts.addList;
import static dev.troupe.server.memory.MemoryScripts.addMap;

import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.RandomIds;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryMerge;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryTier;
import java.util.List;

/**
 * An item to be put.
 *
 * @param id that it gets, if the space does not have its content yet
 * @param hash of its content
 */
record NewItem(String id, String hash, MemoryPut put) {

  private static final float IMPORTANCE = 0.5f;

  /** What a script's arguments take beside the content, about. */
  private static final int OVERHEAD = 512;

  private static final RandomIds IDS = new RandomIds();

  static NewItem of(MemoryPut put) {
    return new NewItem(IDS.next(), ContentHash.of(put.getContent()), put);
  }

  /** About how many bytes it takes in a script's arguments. */
  int size() {
    return put.getSerializedSize() + OVERHEAD;
  }

  void addTo(List<Object> arguments) {
    MemoryContent content = put.getContent();
    MemoryTier tier = tier(put.getTier());
    float importance = put.hasImportance() ? put.getImportance() : IMPORTANCE;
    MemoryMerge merge =
        MemoryMerge.newBuilder()
            .setSource(put.getSource())
            .setImportance(importance)
            .addAllTags(put.getTagsList())
            .putAllAttributes(put.getAttributesMap())
            .setTier(tier)
            .build();
    arguments.addAll(
        List.of(
            id,
            hash,
            tier.getNumber(),
            Durations.toMicros(put.getLifetime()),
            Float.toString(importance),
            put.getSource(),
            content.getEmbeddingCount()));
    addList(arguments, put.getTagsList().stream().distinct().toList());
    addMap(arguments, put.getAttributesMap());
    arguments.add(content.toByteArray());
    arguments.add(merge.toByteArray());
  }

  static MemoryTier tier(MemoryTier given) {
    return given == MemoryTier.MEMORY_TIER_UNSPECIFIED ? MemoryTier.MEMORY_TIER_SHORT : given;
  }
}
