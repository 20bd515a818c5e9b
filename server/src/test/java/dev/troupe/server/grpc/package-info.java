@NullMarked
package dev.troupe.server.grpc;

import org.jspecify.annotations.NullMarked;
