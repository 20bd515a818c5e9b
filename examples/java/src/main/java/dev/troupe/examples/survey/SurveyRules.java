package dev.troupe.examples.survey;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Counts a file as survey-rules.md says. Bytes are read as Latin-1, where each is one character, so
 * that nothing is lost or joined.
 */
final class SurveyRules {

  private static final String BLANKS = " \t\r\f\u000b";

  private static final Map<String, String> LANGUAGES =
      Map.ofEntries(
          Map.entry(".java", "java"),
          Map.entry(".kt", "java"),
          Map.entry(".py", "python"),
          Map.entry(".go", "go"),
          Map.entry(".js", "javascript"),
          Map.entry(".mjs", "javascript"),
          Map.entry(".ts", "javascript"),
          Map.entry(".tsx", "javascript"),
          Map.entry(".jsx", "javascript"),
          Map.entry(".c", "c"),
          Map.entry(".h", "c"),
          Map.entry(".cc", "c"),
          Map.entry(".cpp", "c"),
          Map.entry(".hpp", "c"),
          Map.entry(".rs", "rust"),
          Map.entry(".lua", "lua"),
          Map.entry(".sh", "shell"),
          Map.entry(".proto", "proto"));

  private static final Pattern JAVA_TYPE =
      Pattern.compile("(?<![A-Za-z0-9_])(?:class|interface|enum|record)(?![A-Za-z0-9_])");

  private static final Map<String, Predicate<String>> IMPORTS =
      Map.of(
          "java", starts("import "),
          "python", starts("import ", "from "),
          "javascript", line -> line.startsWith("import ") || line.contains("require("),
          "c", starts("#include"),
          "rust", starts("use "),
          "lua", line -> line.contains("require(") || line.contains("require "),
          "shell", starts("source ", ". "),
          "proto", starts("import "));

  private static final Map<String, Predicate<String>> DECLARATIONS =
      Map.of(
          "java", SurveyRules::declaresJava,
          "python", starts("def ", "async def ", "class "),
          "go", starts("func ", "type "),
          "javascript", starts("function ", "class ", "export "),
          "c", starts("struct ", "typedef ", "enum ", "#define "),
          "rust", starts("fn ", "pub ", "struct ", "enum ", "impl ", "trait "),
          "lua", starts("function ", "local function "),
          "shell", line -> line.endsWith("() {"),
          "proto", starts("message ", "service ", "enum ", "rpc "));

  private SurveyRules() {}

  /** The language of a file, by the last extension of its name. */
  static String languageOf(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "other" : LANGUAGES.getOrDefault(name.substring(dot), "other");
  }

  /** Counts one file; a language that is not known has neither declarations nor imports. */
  static Counts count(String language, byte[] content) {
    Predicate<String> declares = DECLARATIONS.getOrDefault(language, line -> false);
    Predicate<String> imports =
        language.equals("go") ? new GoImports() : IMPORTS.getOrDefault(language, line -> false);
    String text = new String(content, ISO_8859_1);
    long lines = 0;
    long declarations = 0;
    long imported = 0;
    long todos = 0;
    int begin = 0;
    while (begin < text.length()) {
      int newline = text.indexOf('\n', begin);
      int end = newline < 0 ? text.length() : newline;
      String line = strip(text, begin, end);
      begin = end + 1;
      lines++;
      declarations += declares.test(line) ? 1 : 0;
      imported += imports.test(line) ? 1 : 0;
      todos += line.contains("TODO") || line.contains("FIXME") ? 1 : 0;
    }
    return new Counts(lines, declarations, imported, todos);
  }

  private static String strip(String text, int from, int to) {
    int begin = from;
    int end = to;
    while (begin < end && BLANKS.indexOf(text.charAt(begin)) >= 0) {
      begin++;
    }
    while (end > begin && BLANKS.indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    return text.substring(begin, end);
  }

  private static Predicate<String> starts(String... prefixes) {
    return line -> {
      for (String prefix : prefixes) {
        if (line.startsWith(prefix)) {
          return true;
        }
      }
      return false;
    };
  }

  private static boolean declaresJava(String line) {
    return line.indexOf('{') >= 0
        && !line.startsWith("*")
        && !line.startsWith("//")
        && !line.startsWith("/*")
        && JAVA_TYPE.matcher(line).find();
  }

  /** Go's imports, alone or in a block; sees the lines of one file in order. */
  private static final class GoImports implements Predicate<String> {
    private boolean inBlock;

    @Override
    public boolean test(String line) {
      if (inBlock) {
        inBlock = !line.equals(")");
        return inBlock && !line.isEmpty() && !line.startsWith("//");
      }
      inBlock = line.startsWith("import (");
      return !inBlock && line.startsWith("import ");
    }
  }
}
