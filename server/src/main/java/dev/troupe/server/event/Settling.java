package dev.troupe.server.event;

/**
 * What is to become of one delivery.
 *
 * @param delayMicros how long it waits when it is given back; -1 as the group's settings say
 * @param reason why it is given back
 */
record Settling(Kind kind, DeliveryId delivery, long delayMicros, String reason) {

  /** As the script {@code event/settle} knows them. */
  enum Kind {
    /** Done. */
    ACK("A"),
    /** Given back. */
    NACK("N"),
    /** A dead letter at once. */
    DEAD("D"),
    /** Still at work. */
    EXTEND("E"),
    /** Given back because its member left. */
    LEFT("L"),
    /** It was never sent, and so does not count. */
    UNSENT("U");

    private final String letter;

    Kind(String letter) {
      this.letter = letter;
    }
  }

  static Settling of(Kind kind, String deliveryId) {
    return new Settling(kind, DeliveryId.parse(deliveryId), -1, "");
  }

  /** As the script takes it. */
  String argument() {
    return kind.letter
        + ' '
        + delivery.position()
        + ' '
        + delivery.token()
        + ' '
        + delivery.generation()
        + ' '
        + delayMicros
        + ' '
        + reason;
  }
}
