package dev.troupe.server.memory;

import static dev.troupe.server.memory.SpaceChecks.LEAST_LIFETIME;
import static dev.troupe.server.memory.SpaceChecks.MOST_DIMENSION;
import static dev.troupe.server.memory.SpaceChecks.MOST_LIFETIME;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.DeleteMemoriesRequest;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.GetMemoriesRequest;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromoteMemoryRequest;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.UpdateMemoryRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The limits of items and searches, checked at the door. */
final class MemoryChecks {

  static final Set<String> MASK =
      Set.of(
          "content.text",
          "content.struct_data",
          "content.bytes_data",
          "content.embedding",
          "tags",
          "importance",
          "source",
          "attributes",
          "lifetime");
  private static final int TEXT_BYTES = 64 << 10;
  private static final int DATA_BYTES = 256 << 10;
  private static final int PUTS_BYTES = 2 << 20;
  private static final int QUERY_BYTES = 4096;
  private static final int MOST_PUTS = 1000;
  private static final int MOST_TAGS = 64;
  private static final int MOST_CONDITIONS = 32;
  private static final int MOST_GETS = 256;
  private static final int MOST_DELETED = 100_000;
  private static final int MOST_HITS = 200;
  private static final int STEP_ID_BYTES = 100;
  private static final int TIERS = 4;

  private MemoryChecks() {}

  static void put(PutMemoryRequest request) {
    Checks checks =
        in(request.getNamespace(), request.getSpace())
            .that(request.hasItem(), "item", "required")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    if (request.hasItem()) {
      item(checks, "item.", request.getItem());
    }
    checks.done();
  }

  /** What concerns the whole call; each item has an outcome of its own. */
  static void putAll(PutMemoriesRequest request) {
    in(request.getNamespace(), request.getSpace())
        .that(request.getItemsCount() > 0, "items", "required")
        .atMost("items", request.getItemsCount(), MOST_PUTS)
        .bytes("items", request.getSerializedSize(), PUTS_BYTES)
        .text("request_id", request.getRequestId(), STEP_ID_BYTES)
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  private static Checks in(String namespace, String space) {
    return new Checks().namespace(namespace).name("space", space);
  }

  static void item(Checks checks, String at, MemoryPut item) {
    content(checks, at + "content", item.getContent());
    labels(checks, at, item.getTagsList(), item.getImportance(), item.getSource());
    checks
        .labels(at + "attributes", item.getAttributesMap(), MOST_TAGS)
        .that(item.getTier() != MemoryTier.UNRECOGNIZED, at + "tier", "unknown")
        .duration(
            at + "lifetime", item.hasLifetime(), item.getLifetime(), LEAST_LIFETIME, MOST_LIFETIME)
        .that(
            !item.hasLifetime() || item.getTier() != MemoryTier.MEMORY_TIER_PINNED,
            at + "lifetime",
            "not for PINNED");
  }

  private static void labels(
      Checks checks, String at, List<String> tags, float importance, String source) {
    checks
        .names(at + "tags", tags, MOST_TAGS)
        .that(importance >= 0 && importance <= 1, at + "importance", "expected a number 0 to 1")
        .optionalName(at + "source", source);
  }

  private static void content(Checks checks, String at, MemoryContent content) {
    boolean empty =
        content.getText().isEmpty()
            && content.getDataCase() == MemoryContent.DataCase.DATA_NOT_SET
            && content.getEmbeddingCount() == 0;
    checks
        .that(!empty, at, "expected a text, data or an embedding")
        .bytes(at + ".text", content.getTextBytes().size(), TEXT_BYTES)
        .bytes(at + ".struct_data", content.getStructData().getSerializedSize(), DATA_BYTES)
        .depth(at + ".struct_data", content.getStructData())
        .bytes(at + ".bytes_data", content.getBytesData().size(), DATA_BYTES);
    vector(checks, at + ".embedding", content.getEmbeddingList());
  }

  private static void vector(Checks checks, String at, List<Float> vector) {
    checks.atMost(at, vector.size(), MOST_DIMENSION);
    for (int i = 0; i < Math.min(vector.size(), MOST_DIMENSION); i++) {
      if (!Float.isFinite(vector.get(i))) {
        checks.violation(at + "[" + i + "]", "expected a finite number");
        return;
      }
    }
  }

  static void get(GetMemoryRequest request) {
    in(request.getNamespace(), request.getSpace()).name("item_id", request.getItemId()).done();
  }

  static void getAll(GetMemoriesRequest request) {
    ids(in(request.getNamespace(), request.getSpace()), request.getItemIdsList(), MOST_GETS).done();
  }

  @CanIgnoreReturnValue
  private static Checks ids(Checks checks, List<String> ids, int most) {
    return checks
        .that(!ids.isEmpty(), "item_ids", "required")
        .that(new HashSet<>(ids).size() == ids.size(), "item_ids", "expected each id once")
        .names("item_ids", ids, most);
  }

  static void list(ListMemoriesRequest request) {
    Checks checks = in(request.getNamespace(), request.getSpace());
    filter(checks, request.getFilter());
    SpaceChecks.page(checks, request.getPageSize()).done();
  }

  static void filter(Checks checks, MemoryFilter filter) {
    checks
        .names("filter.all_tags", filter.getAllTagsList(), MOST_CONDITIONS)
        .names("filter.any_tags", filter.getAnyTagsList(), MOST_CONDITIONS)
        .names("filter.no_tags", filter.getNoTagsList(), MOST_CONDITIONS)
        .names("filter.sources", filter.getSourcesList(), MOST_CONDITIONS)
        .labels("filter.attributes", filter.getAttributesMap(), MOST_CONDITIONS)
        .atMost("filter.tiers", filter.getTiersCount(), TIERS)
        .that(
            filter.getMinImportance() >= 0 && filter.getMinImportance() <= 1,
            "filter.min_importance",
            "expected a number 0 to 1")
        .time("filter.created_from", filter.hasCreatedFrom(), filter.getCreatedFrom())
        .time("filter.created_before", filter.hasCreatedBefore(), filter.getCreatedBefore())
        .time("filter.updated_from", filter.hasUpdatedFrom(), filter.getUpdatedFrom())
        .time("filter.updated_before", filter.hasUpdatedBefore(), filter.getUpdatedBefore());
    for (int i = 0; i < Math.min(filter.getTiersCount(), TIERS); i++) {
      checks.range("filter.tiers[" + i + "]", filter.getTiersValue(i), 1, TIERS);
    }
  }

  static void update(UpdateMemoryRequest request) {
    Checks checks =
        in(request.getNamespace(), request.getSpace())
            .name("item.item_id", request.getItem().getItemId())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    SpaceChecks.mask(checks, request.getUpdateMask().getPathsList(), MASK);
    checks.duration(
        "item.lifetime",
        request.getItem().hasLifetime(),
        request.getItem().getLifetime(),
        LEAST_LIFETIME,
        MOST_LIFETIME);
    checks.done();
  }

  /** An item as an update would leave it. */
  static void updated(MemoryItem item) {
    Checks checks = new Checks();
    content(checks, "item.content", item.getContent());
    labels(checks, "item.", item.getTagsList(), item.getImportance(), item.getSource());
    checks.labels("item.attributes", item.getAttributesMap(), MOST_TAGS).done();
  }

  static void promote(PromoteMemoryRequest request) {
    boolean known =
        request.getTier() != MemoryTier.UNRECOGNIZED
            && request.getTier() != MemoryTier.MEMORY_TIER_UNSPECIFIED;
    in(request.getNamespace(), request.getSpace())
        .name("item_id", request.getItemId())
        .that(known, "tier", "expected SHORT, WORKING, LONG or PINNED")
        .duration(
            "lifetime", request.hasLifetime(), request.getLifetime(), LEAST_LIFETIME, MOST_LIFETIME)
        .that(
            !request.hasLifetime() || request.getTier() != MemoryTier.MEMORY_TIER_PINNED,
            "lifetime",
            "not for PINNED")
        .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void forget(ForgetMemoriesRequest request) {
    ids(
            in(request.getNamespace(), request.getSpace()),
            request.getItemIdsList(),
            MemoryStore.MOST_AT_ONCE)
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void delete(DeleteMemoriesRequest request) {
    Checks checks =
        in(request.getNamespace(), request.getSpace())
            .that(
                request.getAll() || request.getFilter().getSerializedSize() > 0,
                "filter",
                "required, unless all are meant")
            .range("limit", request.getLimit(), 0, MOST_DELETED)
            .text("request_id", request.getRequestId(), STEP_ID_BYTES)
            .fence(request.hasFence(), request.getFence());
    filter(checks, request.getFilter());
    checks.done();
  }

  static void search(SearchMemoryRequest request) {
    Checks checks =
        in(request.getNamespace(), request.getSpace())
            .bytes("text", request.getTextBytes().size(), QUERY_BYTES)
            .range("top_k", request.getTopK(), 0, MOST_HITS)
            .that(!Double.isNaN(request.getMinScore()), "min_score", "expected a number")
            .that(request.getMinRevision() >= 0, "min_revision", "expected 0 or more");
    vector(checks, "vector", request.getVectorList());
    filter(checks, request.getFilter());
    SpaceChecks.search(checks, "settings", request.getSettings());
    checks.done();
  }
}
