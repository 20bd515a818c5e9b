package dev.troupe.examples.survey;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The files to survey: ordinary ones, by path, without what tools and servers leave behind. */
record SourceTree(Path root, List<String> files) {

  private static final Set<String> LEFT_BY_TOOLS =
      Set.of("target", "build", "node_modules", "__pycache__", "venv");

  /** Marks the data of a server, which changes while the survey goes on. */
  private static final String SERVER_DATA = "troupe-data";

  static SourceTree below(Path root) throws IOException {
    List<String> files = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = String.valueOf(folder.getFileName());
            boolean skip =
                !folder.equals(root)
                    && (name.startsWith(".")
                        || LEFT_BY_TOOLS.contains(name)
                        || Files.exists(folder.resolve(SERVER_DATA)));
            return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isRegularFile()) {
              files.add(root.relativize(file).toString().replace('\\', '/'));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure) {
            // What cannot be read is not surveyed by anybody.
            return FileVisitResult.CONTINUE;
          }
        });
    Collections.sort(files);
    return new SourceTree(root, List.copyOf(files));
  }

  /** The plain count, one file after the other in this very process. */
  Map<String, Counts> countHere() {
    Map<String, Counts> counts = new TreeMap<>();
    for (String file : files) {
      try {
        counts.put(
            file,
            SurveyRules.count(
                SurveyRules.languageOf(file), Files.readAllBytes(root.resolve(file))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return counts;
  }
}
