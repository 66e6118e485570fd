package dev.holdfast.edge;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Lines as syslog messages (RFC 5424), with Heroku's facility (local3) and the severity of the
 * line. Confined to the log's thread, but for the count.
 */
final class SyslogSink implements AccessSink {
  private static final int FACILITY_LOCAL3 = 19 << 3;
  private static final int ERROR = 3;
  private static final int WARNING = 4;
  private static final int INFO = 6;
  private static final int HOST_CHARS_MAX = 255;

  /** How messages leave the machine, or the process. */
  interface Wire {
    /** Takes one message whole, or answers false. */
    boolean send(LineBuffer message);

    /** Hands on what waits. */
    void flush();

    /** Ends. */
    void close();
  }

  private final Wire wire;
  private final String host;
  private final LineBuffer message = new LineBuffer();
  private final Timestamp timestamp = new Timestamp();
  private volatile long refused;

  SyslogSink(Wire wire) {
    this.wire = wire;
    host = host();
  }

  private static String host() {
    try {
      var name = InetAddress.getLocalHost().getHostName();
      boolean good =
          !name.isEmpty()
              && name.length() <= HOST_CHARS_MAX
              && name.chars().allMatch(c -> c > ' ' && c < 0x7f);
      return good ? name : "-";
    } catch (UnknownHostException e) {
      return "-"; // as the format has it for a name that is not known
    }
  }

  @Override
  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes, others look
  public void line(LineBuffer line, int prefix, AccessRecord record) {
    message.clear();
    message.octet('<').number(FACILITY_LOCAL3 | severity(record.code)).text(">1 ");
    timestamp.write(message, record.epochMillis);
    message.octet(' ').text(host).text(" holdfast router - - ");
    message.raw(line.bytes, prefix, line.length - prefix);
    if (!wire.send(message)) {
      refused++;
    }
  }

  private static int severity(@Nullable Code code) {
    return code == null
        ? INFO
        : switch (code.severity()) {
          case CRITICAL -> ERROR;
          case WARNING -> WARNING;
          case INFO -> INFO;
        };
  }

  @Override
  public void flush() {
    wire.flush();
  }

  @Override
  public long dropped() {
    return refused;
  }

  @Override
  public void close() {
    wire.flush();
    wire.close();
  }
}
