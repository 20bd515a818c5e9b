package dev.troupe.examples.survey;

/** What one file, or many, hold. */
record Counts(long lines, long declarations, long imports, long todos) {

  static final Counts NONE = new Counts(0, 0, 0, 0);

  Counts plus(Counts other) {
    return new Counts(
        lines + other.lines,
        declarations + other.declarations,
        imports + other.imports,
        todos + other.todos);
  }
}
