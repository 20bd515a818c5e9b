@NullMarked
package dev.troupe.server.lifecycle;

import org.jspecify.annotations.NullMarked;
