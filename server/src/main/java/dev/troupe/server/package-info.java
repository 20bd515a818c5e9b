/** The Troupe server, put together from its features and kernels. */
@NullMarked
package dev.troupe.server;

import org.jspecify.annotations.NullMarked;
