package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameTypes;
import org.jspecify.annotations.Nullable;

/**
 * In front of the codec: walks over the heads of a client's frames as they come and ends the
 * connection where the codec is too mild. A field block on a stream that the client has ended is
 * STREAM_CLOSED and one on a stream that it passed over is PROTOCOL_ERROR, both for the connection
 * (RFC 9113 sections 5.1 and 5.1.1); frames that cost the client nothing are bounded (section
 * 10.5). So are streams that are stillborn: begun and reset within one read (CVE-2023-44487). They
 * are seen before the codec opens the first of them, so a flood of them costs little more than the
 * bytes. Copies nothing. Confined to its event loop.
 */
final class Http2Watch extends ChannelInboundHandlerAdapter {
  private static final int HEAD_BYTES = Http2CodecUtil.FRAME_HEADER_LENGTH;
  private static final int TYPE_AT = 3;
  private static final int FLAGS_AT = 4;
  private static final int STREAM_AT = 5;
  private static final int END_STREAM = 1;

  /** How many streams back it remembers; what is older is left to the codec. */
  private static final int REMEMBERED = 256;

  private final FrontConfig config;
  private final Loop loop;
  private final Http2FrameCodec codec;
  private final byte[] head = new byte[HEAD_BYTES];
  private final int[] streams = new int[REMEMBERED]; // a ring, in the order in which they began
  private final boolean[] ended = new boolean[REMEMBERED]; // by the client
  private int begun;
  private int highest;
  private int forgotten; // the highest that is remembered no more
  private int skip = Http2CodecUtil.connectionPrefaceBuf().readableBytes();
  private int headBytes;
  private int seenBefore; // the highest stream that an earlier read began
  private int firstAt; // where in this read the first stream begins, or -1
  private int idleFrames;
  private int stillborn;
  private long windowNanos;
  private boolean over;

  Http2Watch(FrontConfig config, Loop loop, Http2FrameCodec codec) {
    this.config = config;
    this.loop = loop;
    this.codec = codec;
    windowNanos = loop.shared().time.nanos();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var in = (ByteBuf) message;
    if (over) {
      in.release();
      return;
    }
    int at = in.readerIndex();
    int end = in.writerIndex();
    seenBefore = highest;
    firstAt = -1;
    while (at < end) {
      if (skip > 0) {
        int step = Math.min(skip, end - at);
        skip -= step;
        at += step;
      } else {
        head[headBytes++] = in.getByte(at++);
        if (headBytes == HEAD_BYTES) {
          headBytes = 0;
          skip = ((head[0] & 0xff) << 16) | ((head[1] & 0xff) << 8) | (head[2] & 0xff);
          int begin = Math.max(in.readerIndex(), at - HEAD_BYTES);
          var fault = look(begin);
          if (fault != null) {
            end(ctx, in, stillborn > config.stillbornMax() ? firstAt : begin, fault);
            return;
          }
        }
      }
    }
    ctx.fireChannelRead(in);
  }

  /** What is wrong with the frame whose head is here and began there in this read, or null. */
  private @Nullable Http2Exception look(int begin) {
    boolean last = (head[FLAGS_AT] & END_STREAM) != 0;
    int stream =
        ((head[STREAM_AT] & 0x7f) << 24)
            | ((head[STREAM_AT + 1] & 0xff) << 16)
            | ((head[STREAM_AT + 2] & 0xff) << 8)
            | (head[STREAM_AT + 3] & 0xff);
    return switch (head[TYPE_AT]) {
      case Http2FrameTypes.HEADERS -> {
        if (firstAt < 0) {
          firstAt = begin;
        }
        yield headers(stream, last);
      }
      case Http2FrameTypes.DATA -> {
        int place = last ? find(stream) : -1;
        if (place >= 0) {
          ended[place] = true;
        }
        yield null;
      }
      case Http2FrameTypes.RST_STREAM -> reset(stream);
      case Http2FrameTypes.WINDOW_UPDATE,
          Http2FrameTypes.CONTINUATION,
          Http2FrameTypes.PUSH_PROMISE,
          Http2FrameTypes.GO_AWAY ->
          null; // the codec bounds or refuses them
      default -> idle(); // PING, SETTINGS, PRIORITY, and types that nobody knows
    };
  }

  private @Nullable Http2Exception headers(int stream, boolean last) {
    if ((stream & 1) == 0) {
      return null; // no client's: the codec says so
    }
    if (stream > highest) {
      int place = begun++ % REMEMBERED;
      forgotten = streams[place];
      streams[place] = stream;
      ended[place] = last;
      highest = stream;
      return null;
    }
    int place = find(stream);
    if (place < 0) {
      return stream < forgotten
          ? null
          : Http2Exception.connectionError(
              Http2Error.PROTOCOL_ERROR, "stream %d after stream %d", stream, highest);
    }
    if (ended[place]) {
      return Http2Exception.connectionError(
          Http2Error.STREAM_CLOSED, "HEADERS on stream %d, which the client has ended", stream);
    }
    ended[place] = last;
    return null;
  }

  /** The place of that stream, or -1; the latest are found first. */
  private int find(int stream) {
    for (int i = begun - 1; i >= Math.max(0, begun - REMEMBERED); i--) {
      int place = i % REMEMBERED;
      if (streams[place] <= stream) {
        return streams[place] == stream ? place : -1; // they only grow
      }
    }
    return -1;
  }

  /** Who takes streams back before they could be looked at means none of them. */
  private @Nullable Http2Exception reset(int stream) {
    if (stream <= seenBefore || stream > highest) {
      return null; // the codec counts these
    }
    turn();
    return ++stillborn <= config.stillbornMax()
        ? null
        : Http2Exception.connectionError(
            Http2Error.ENHANCE_YOUR_CALM,
            "more than %d streams reset as soon as begun",
            config.stillbornMax());
  }

  private void turn() {
    long now = loop.shared().time.nanos();
    if (now - windowNanos > config.floodWindow().toNanos()) {
      windowNanos = now;
      idleFrames = 0;
      stillborn = 0;
    }
  }

  /** A client may send what leads to nothing only so often. */
  private @Nullable Http2Exception idle() {
    turn();
    return ++idleFrames <= config.controlFramesMax()
        ? null
        : Http2Exception.connectionError(
            Http2Error.ENHANCE_YOUR_CALM, "more than %d idle frames", config.controlFramesMax());
  }

  /** What came before the wrong frame is still read; then the connection ends. */
  private void end(ChannelHandlerContext ctx, ByteBuf in, int at, Http2Exception fault) {
    over = true;
    int good = at - in.readerIndex();
    if (good > 0) {
      ctx.fireChannelRead(in.readRetainedSlice(good));
    }
    in.release();
    var to = ctx.pipeline().context(codec);
    if (to != null) {
      codec.onError(to, false, fault);
    }
  }
}
