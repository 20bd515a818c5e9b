/** The one exception family: every refusal has an {@link dev.troupe.v1.ErrorReason}. */
@NullMarked
package dev.troupe.server.error;

import org.jspecify.annotations.NullMarked;
