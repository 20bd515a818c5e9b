@NullMarked
package dev.troupe.examples.survey;

import org.jspecify.annotations.NullMarked;
