package dev.troupe.server.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Reads a {@code .properties} file and keeps the line numbers, which {@link Properties} forgets.
 */
final class PropertiesFile {

  private PropertiesFile() {}

  /** The values of the file; what cannot be read goes into {@code problems}. */
  static List<GivenValue> read(Path file, List<String> problems) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, UTF_8);
    } catch (IOException e) {
      problems.add(file + ": " + why(file, e) + " (expected: settings, a line each: name=value)");
      return List.of();
    }
    List<GivenValue> values = new ArrayList<>();
    Map<String, String> seen = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String source = file + ":" + (i + 1);
      StringBuilder logical = new StringBuilder(lines.get(i));
      while (isEntry(lines.get(i)) && isContinued(logical) && i + 1 < lines.size()) {
        logical.append('\n').append(lines.get(++i));
      }
      for (Map.Entry<Object, Object> entry : parse(logical.toString(), source, problems)) {
        String name = (String) entry.getKey();
        String earlier = seen.putIfAbsent(name, source);
        if (earlier != null) {
          problems.add(source + ": " + name + " is already given at " + earlier);
        } else {
          values.add(new GivenValue(name, (String) entry.getValue(), source));
        }
      }
    }
    return values;
  }

  private static String why(Path file, IOException failure) {
    if (failure instanceof NoSuchFileException) {
      return "no such file";
    }
    if (failure instanceof AccessDeniedException) {
      return "may not be read by this user";
    }
    if (failure instanceof CharacterCodingException) {
      return "is no UTF-8 text";
    }
    return Files.isDirectory(file) ? "is a directory" : "cannot be read: " + failure.getMessage();
  }

  private static boolean isEntry(String line) {
    String text = line.stripLeading();
    return !text.startsWith("#") && !text.startsWith("!");
  }

  private static boolean isContinued(CharSequence line) {
    int backslashes = 0;
    while (backslashes < line.length() && line.charAt(line.length() - 1 - backslashes) == '\\') {
      backslashes++;
    }
    return backslashes % 2 == 1;
  }

  private static Iterable<Map.Entry<Object, Object>> parse(
      String text, String source, List<String> problems) {
    Properties entry = new Properties();
    try {
      entry.load(new StringReader(text));
    } catch (IOException | IllegalArgumentException e) {
      problems.add(source + ": " + e.getMessage());
    }
    return entry.entrySet();
  }
}
