package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameBorderTest {
  private static ByteBuf frame(int opcode, int length, boolean masked) {
    var out = Unpooled.buffer();
    int mask = masked ? 0x80 : 0;
    out.writeByte(0x80 | opcode);
    if (length < 126) {
      out.writeByte(mask | length);
    } else if (length <= 0xffff) {
      out.writeByte(mask | 126).writeShort(length);
    } else {
      out.writeByte(mask | 127).writeLong(length);
    }
    return out.writeZero(length + (masked ? 4 : 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 125, 126, 65_535, 65_536, 200_000})
  void knowsWhereFramesEnd(int length) {
    for (boolean masked : new boolean[] {false, true}) {
      var border = new FrameBorder();
      assertThat(border.between()).isTrue();
      var frame = frame(2, length, masked);
      int size = frame.readableBytes();
      for (int step : new int[] {1, 3, size - 1, size}) {
        for (int at = 0; at < size; at += step) {
          int end = Math.min(size, at + step);
          border.see(frame.slice(at, end - at));
          assertThat(border.between()).as(end + " of " + size).isEqualTo(end == size);
        }
      }
      assertThat(border.closed()).isFalse();
      assertThat(frame.readerIndex()).isZero();
    }
  }

  @Test
  void seesACloseFrameAmongOthers() {
    var border = new FrameBorder();
    border.see(Unpooled.wrappedBuffer(frame(1, 300, false), frame(8, 2, false)));
    assertThat(border.between()).isTrue();
    assertThat(border.closed()).isTrue();
  }

  @Test
  void aFrameWithoutAnEndIsNeverBetweenTwo() {
    var border = new FrameBorder();
    border.see(Unpooled.buffer().writeByte(0x82).writeByte(127).writeLong(-1));
    assertThat(border.between()).isFalse();
  }
}
