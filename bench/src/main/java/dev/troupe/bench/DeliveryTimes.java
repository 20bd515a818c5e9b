package dev.troupe.bench;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What a subscriber of the benchmark reads of a response: when its events were sent. The rest is
 * passed over, as the generator shares the processors with the server.
 */
final class DeliveryTimes {

  static final Marshaller<DeliveryTimes> MARSHALLER = new Reading();

  private long[] sentNanos = new long[1];
  private int count;
  private boolean caughtUp;

  private DeliveryTimes() {}

  int count() {
    return count;
  }

  long sentNanos(int i) {
    return sentNanos[i];
  }

  boolean isCaughtUp() {
    return caughtUp;
  }

  private static final class Reading implements Marshaller<DeliveryTimes> {

    @Override
    public InputStream stream(DeliveryTimes value) {
      return new ByteArrayInputStream(new byte[0]);
    }

    @Override
    public DeliveryTimes parse(InputStream stream) {
      DeliveryTimes times = new DeliveryTimes();
      try {
        byte[] bytes = stream.readAllBytes();
        times.response(CodedInputStream.newInstance(bytes));
      } catch (IOException e) {
        throw Status.INTERNAL.withCause(e).asRuntimeException();
      }
      return times;
    }
  }

  private interface Field {
    void read(int number) throws IOException;
  }

  private static void fields(CodedInputStream in, int wanted, Field field) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == wanted) {
        int end = in.pushLimit(in.readRawVarint32());
        field.read(wanted);
        in.skipRawBytes(in.getBytesUntilLimit());
        in.popLimit(end);
      } else {
        in.skipField(tag);
      }
    }
  }

  private void response(CodedInputStream in) throws IOException {
    int tag = in.readTag();
    caughtUp = WireFormat.getTagFieldNumber(tag) == SubscribeResponse.CAUGHT_UP_FIELD_NUMBER;
    if (WireFormat.getTagFieldNumber(tag) == SubscribeResponse.BATCH_FIELD_NUMBER) {
      int end = in.pushLimit(in.readRawVarint32());
      fields(
          in,
          EventBatch.DELIVERIES_FIELD_NUMBER,
          deliveries ->
              fields(
                  in,
                  EventDelivery.EVENT_FIELD_NUMBER,
                  event -> fields(in, Event.BINARY_DATA_FIELD_NUMBER, data -> sent(in))));
      in.popLimit(end);
    }
  }

  private void sent(CodedInputStream in) throws IOException {
    if (count == sentNanos.length) {
      sentNanos = Arrays.copyOf(sentNanos, 2 * count);
    }
    sentNanos[count++] = ByteBuffer.wrap(in.readRawBytes(Long.BYTES)).getLong();
  }
}
