package dev.troupe.server.config;

/**
 * A value that somebody gave.
 *
 * @param name the setting that it is meant for, which may not exist
 * @param text the value as written
 * @param source where: {@code troupe.properties:3}, {@code TROUPE_GRPC_PORT}, {@code --grpc.port}
 */
record GivenValue(String name, String text, String source) {}
