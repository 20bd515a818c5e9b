/** The door: the gRPC server, checks of requests, one place that turns outcomes into answers. */
@NullMarked
package dev.troupe.server.grpc;

import org.jspecify.annotations.NullMarked;
