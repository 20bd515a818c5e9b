package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.troupe.v1.MemoryContent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An index reads of a stored item what Protobuf would. */
class IndexedContentTest {

  private static final List<Float> FLOATS =
      List.of(0f, -0f, 1.5f, -3e38f, Float.MIN_VALUE, 0.1f, 7f);

  /** Field 4, four bytes long. */
  private static final byte[] LIKE_AN_EMBEDDING = {0x22, 4, 1, 2, 3, 4};

  @Test
  void text_and_embedding_are_as_they_were_put() {
    assertReadAs("a fact, and 東京", FLOATS, MemoryContent.newBuilder());
  }

  @Test
  void data_between_them_are_passed_over() {
    assertReadAs(
        "with bytes",
        FLOATS,
        MemoryContent.newBuilder().setBytesData(ByteString.copyFrom(LIKE_AN_EMBEDDING)));
    assertReadAs(
        "with a structure",
        FLOATS,
        MemoryContent.newBuilder()
            .setStructData(
                Struct.newBuilder()
                    .putFields("text", Value.newBuilder().setStringValue("not this").build())));
  }

  @Test
  void either_may_be_missing() {
    assertReadAs("", FLOATS, MemoryContent.newBuilder());
    assertReadAs("only words", List.of(), MemoryContent.newBuilder());
    assertReadAs("", List.of(), MemoryContent.newBuilder());
  }

  @Test
  void numbers_that_were_written_one_by_one_or_in_pieces_are_put_together() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeFloat(MemoryContent.EMBEDDING_FIELD_NUMBER, 1);
    out.writeFloat(MemoryContent.EMBEDDING_FIELD_NUMBER, 2);
    out.flush();
    MemoryContent.newBuilder()
        .setText("last")
        .addEmbedding(3)
        .addEmbedding(4)
        .build()
        .writeTo(bytes);
    ByteString encoded = ByteString.copyFrom(bytes.toByteArray());

    assertThat(MemoryContent.parseFrom(encoded).getEmbeddingList()).containsExactly(1f, 2f, 3f, 4f);
    assertThat(IndexedContent.parse(encoded).embedding()).containsExactly(1f, 2f, 3f, 4f);
    assertThat(IndexedContent.parse(encoded).text()).isEqualTo("last");
  }

  @Test
  void what_is_cut_short_is_refused() {
    ByteString whole =
        MemoryContent.newBuilder().setText("text").addAllEmbedding(FLOATS).build().toByteString();
    ByteString half = whole.substring(0, whole.size() - 3);

    assertThatThrownBy(() -> IndexedContent.parse(half))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a stored item cannot be read");
  }

  @Test
  void half_a_number_is_refused() {
    ByteString encoded =
        ByteString.copyFrom(new byte[] {MemoryContent.EMBEDDING_FIELD_NUMBER << 3 | 2, 3, 1, 2, 3});

    assertThatThrownBy(() -> MemoryContent.parseFrom(encoded))
        .isInstanceOf(InvalidProtocolBufferException.class);
    assertThatThrownBy(() -> IndexedContent.parse(encoded))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a stored embedding is cut short");
  }

  private static void assertReadAs(
      String text, List<Float> embedding, MemoryContent.Builder others) {
    ByteString encoded =
        others.clone().setText(text).addAllEmbedding(embedding).build().toByteString();

    IndexedContent read = IndexedContent.parse(encoded);

    assertThat(read.text()).isEqualTo(text);
    float[] expected = new float[embedding.size()];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = embedding.get(i);
    }
    assertThat(read.embedding()).containsExactly(expected);
  }
}
