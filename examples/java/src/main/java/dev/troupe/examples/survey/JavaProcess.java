package dev.troupe.examples.survey;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command of another JVM with this one's class path. */
final class JavaProcess {

  private JavaProcess() {}

  static String program() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  static List<String> command(String main, String... options) {
    List<String> command = new ArrayList<>();
    command.add(program());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    return command;
  }
}
