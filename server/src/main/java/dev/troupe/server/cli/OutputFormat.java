package dev.troupe.server.cli;

/** How results are printed. */
enum OutputFormat {
  /** Aligned columns, for people. */
  TABLE,

  /** One Protobuf JSON document per line, for programs. */
  JSON
}
