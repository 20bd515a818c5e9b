package dev.troupe.server.cli;

import dev.troupe.v1.Fusion;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Settings of a memory space, as far as they are said. */
final class SpaceOptions extends RetentionOptions {

  @Option(names = "--dimension", paramLabel = "N", description = "Numbers of an embedding.")
  @Nullable Integer dimension;

  @Option(names = "--fusion", description = "reciprocal-rank or weights.")
  @Nullable String fusion;

  @Option(names = "--vector-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double vectorWeight;

  @Option(names = "--text-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double textWeight;

  @Option(names = "--recency-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double recencyWeight;

  @Option(
      names = "--recency-half-life",
      paramLabel = "DURATION",
      description = "When recency counts half.")
  @Nullable Duration recencyHalfLife;

  @Option(names = "--importance-weight", paramLabel = "N", description = "0 (not at all) to 1.")
  @Nullable Double importanceWeight;

  @Option(names = "--description", description = "What the space is for.")
  @Nullable String description;

  @Override
  Set<String> into(SpaceSettings.Builder settings) {
    Set<String> paths = super.into(settings);
    search(settings.getSearchBuilder(), paths);
    if (dimension != null) {
      settings.setDimension(dimension);
      paths.add("dimension");
    }
    if (description != null) {
      settings.setDescription(description);
      paths.add("description");
    }
    return paths;
  }

  private void search(SearchSettings.Builder search, Set<String> paths) {
    boolean said = fusion != null;
    if (fusion != null) {
      search.setFusion(Names.constant("--fusion", Fusion.class, fusion));
    }
    if (vectorWeight != null) {
      search.setVectorWeight(vectorWeight);
      said = true;
    }
    if (textWeight != null) {
      search.setTextWeight(textWeight);
      said = true;
    }
    if (recencyWeight != null) {
      search.setRecencyWeight(recencyWeight);
      said = true;
    }
    if (recencyHalfLife != null) {
      search.setRecencyHalfLife(proto(recencyHalfLife));
      said = true;
    }
    if (importanceWeight != null) {
      search.setImportanceWeight(importanceWeight);
      said = true;
    }
    if (said) {
      paths.add("search");
    }
  }
}
