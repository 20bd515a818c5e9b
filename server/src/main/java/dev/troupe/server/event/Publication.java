package dev.troupe.server.event;

import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;

/**
 * An event on its way to a topic.
 *
 * @param topic where it goes
 * @param event complete but for its time, which is that of Redis when there is none; its id is not
 *     empty
 * @param fence the default instance for none
 */
public record Publication(String topic, Event event, Fence fence) {}
