package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Policy.Encoding;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EncodersTest {
  private final Encoders encoders = new Encoders();

  private @Nullable Encoder open(boolean stream) {
    return encoders.open(Encoding.GZIP, UnpooledByteBufAllocator.DEFAULT, stream);
  }

  @Test
  void hasRoomForOthersWhenStreamsHaveTakenTheirs() {
    var open = new ArrayList<Encoder>();
    for (var next = open(true); next != null; next = open(true)) {
      open.add(next);
    }
    assertThat(open).hasSize(Encoders.STREAMS_MAX);
    for (var next = open(false); next != null; next = open(false)) {
      open.add(next);
    }
    assertThat(open).hasSize(Encoders.MAX);
    for (int i = 0; i < open.size(); i++) {
      encoders.close(open.get(i), i < Encoders.STREAMS_MAX);
    }
    assertThat(encoders.inUse()).isZero();
    var again = open(true);
    assertThat(again).isNotNull();
    if (again != null) {
      encoders.close(again, true);
    }
  }
}
