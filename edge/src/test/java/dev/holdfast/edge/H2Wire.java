package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;

/** Raw frames of HTTP/2 over a socket: whatever a test wants to send, right or wrong. */
final class H2Wire implements AutoCloseable {
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int PRIORITY = 2;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PUSH_PROMISE = 5;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int CONTINUATION = 9;
  static final int ACK = 1;
  static final int END_STREAM = 1;
  static final int END_HEADERS = 4;
  static final int PADDED = 8;
  static final int WHOLE = END_STREAM | END_HEADERS;
  static final byte[] NONE = {};
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  /** One frame as it came. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares frames
  record Frame(int type, int flags, int stream, byte[] payload) {
    int number(int at) {
      return Unpooled.wrappedBuffer(payload).getInt(at);
    }

    /** The error code of a RST_STREAM or GOAWAY. */
    int error() {
      return number(type == GOAWAY ? 4 : 0);
    }

    boolean endStream() {
      return (flags & END_STREAM) != 0;
    }

    String text() {
      return new String(payload, ISO_8859_1);
    }
  }

  /** A whole answer. */
  record Answer(int status, List<String> heads, String body, List<String> trailers) {
    boolean has(String line) {
      return heads.contains(line);
    }
  }

  final Socket socket;
  private final DataInputStream in;
  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);

  H2Wire(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(Wire.PATIENCE_MILLIS);
    socket.setTcpNoDelay(true);
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
  }

  /** Connected by prior knowledge, with the settings of both sides on their way. */
  static H2Wire to(InetSocketAddress address) throws IOException {
    var wire = new H2Wire(new Socket(address.getAddress(), address.getPort()));
    return wire.preface().frame(SETTINGS, 0, 0, NONE).frame(SETTINGS, ACK, 0, NONE);
  }

  H2Wire preface() throws IOException {
    return raw(PREFACE.getBytes(ISO_8859_1));
  }

  H2Wire raw(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return this;
  }

  static byte[] bytes(int type, int flags, int stream, byte[] payload) {
    var out = Unpooled.buffer();
    out.writeMedium(payload.length).writeByte(type).writeByte(flags).writeInt(stream);
    out.writeBytes(payload);
    var bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return bytes;
  }

  H2Wire frame(int type, int flags, int stream, byte[] payload) throws IOException {
    return raw(bytes(type, flags, stream, payload));
  }

  H2Wire data(int stream, boolean last, String text) throws IOException {
    return frame(DATA, last ? END_STREAM : 0, stream, text.getBytes(ISO_8859_1));
  }

  H2Wire headers(int stream, int flags, String... fields) throws IOException {
    return frame(HEADERS, flags, stream, block(fields));
  }

  H2Wire get(int stream, String path) throws IOException {
    return headers(stream, WHOLE, request("GET", path));
  }

  static String[] request(String method, String path, String... more) {
    var all = new ArrayList<>(List.of(":method", method, ":scheme", "http", ":path", path));
    all.addAll(List.of(":authority", "app.test"));
    all.addAll(List.of(more));
    return all.toArray(new String[0]);
  }

  static byte[] number(int value) {
    return Unpooled.buffer(4).writeInt(value).array();
  }

  static byte[] setting(int id, long value) {
    return Unpooled.buffer(6).writeShort(id).writeInt((int) value).array();
  }

  /** Fields as literals without indexing (RFC 7541 section 6.2.2). */
  static byte[] block(String... fields) {
    var out = new ByteArrayOutputStream();
    for (int i = 0; i < fields.length; i += 2) {
      out.write(0);
      string(out, fields[i]);
      string(out, fields[i + 1]);
    }
    return out.toByteArray();
  }

  private static void string(ByteArrayOutputStream out, String text) {
    int length = text.length();
    if (length < 127) {
      out.write(length);
    } else {
      out.write(127);
      for (length -= 127; length >= 128; length >>= 7) {
        out.write((length & 127) | 128);
      }
      out.write(length);
    }
    out.writeBytes(text.getBytes(ISO_8859_1));
  }

  Frame read() throws IOException {
    int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int stream = in.readInt() & Integer.MAX_VALUE;
    return new Frame(type, flags, stream, in.readNBytes(length));
  }

  /** The next frame of that type; what else comes is passed over. */
  Frame next(int type) throws IOException {
    while (true) {
      var frame = read();
      if (frame.type == HEADERS && type != HEADERS) {
        var _ = fields(frame);
      }
      if (frame.type == type) {
        return frame;
      }
    }
  }

  List<String> fields(Frame frame) throws IOException {
    var block = Unpooled.wrappedBuffer(frame.payload);
    try {
      var fields = new ArrayList<String>();
      for (var field : decoder.decodeHeaders(frame.stream, block)) {
        fields.add(field.getKey() + ": " + field.getValue());
      }
      return fields;
    } catch (Http2Exception e) {
      throw new IOException(e);
    }
  }

  /** The whole answer on that stream; windows are given back as it comes. */
  Answer answer(int stream) throws IOException {
    int status = 0;
    var heads = new ArrayList<String>();
    var trailers = new ArrayList<String>();
    var body = new StringBuilder();
    while (true) {
      var frame = read();
      if (frame.type == HEADERS) {
        var fields = fields(frame);
        if (frame.stream == stream && fields.getFirst().startsWith(":status")) {
          status = Integer.parseInt(fields.getFirst().substring(9));
          heads.addAll(fields);
        } else if (frame.stream == stream) {
          trailers.addAll(fields);
        }
      } else if (frame.type == DATA && frame.stream == stream) {
        body.append(frame.text());
        if (frame.payload.length > 0) {
          frame(WINDOW_UPDATE, 0, 0, number(frame.payload.length));
          if (!frame.endStream()) {
            frame(WINDOW_UPDATE, 0, stream, number(frame.payload.length));
          }
        }
      } else if (frame.type == RST_STREAM && frame.stream == stream) {
        throw new IOException("reset " + frame.error());
      } else if (frame.type == GOAWAY && frame.error() != 0) {
        throw new IOException("goaway " + frame.error());
      }
      boolean ours = frame.type == HEADERS || frame.type == DATA;
      if (ours && frame.stream == stream && frame.endStream()) {
        return new Answer(status, heads, body.toString(), trailers);
      }
    }
  }

  /** How it ended: {@code goaway N}, {@code reset N}, {@code closed}, or what else came. */
  String end() throws IOException {
    try {
      while (true) {
        var frame = read();
        switch (frame.type) {
          case GOAWAY -> {
            if (frame.error() != 0) {
              return "goaway " + frame.error();
            }
          }
          case RST_STREAM -> {
            return "reset " + frame.error();
          }
          case HEADERS -> {
            return "answer " + fields(frame).getFirst();
          }
          default -> {}
        }
      }
    } catch (EOFException e) {
      return "closed";
    } catch (SocketTimeoutException e) {
      return "silence";
    } catch (IOException e) {
      return "closed";
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
