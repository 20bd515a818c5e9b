@NullMarked
package dev.troupe.server.config;

import org.jspecify.annotations.NullMarked;
