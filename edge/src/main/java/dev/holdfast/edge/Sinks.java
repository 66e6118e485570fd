package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;

/** Opens what the configuration names. */
final class Sinks {
  private Sinks() {}

  /**
   * The sink.
   *
   * @throws IOException when it cannot work on this machine; one that does not answer yet can
   */
  static AccessSink open(AccessLogConfig.Sink sink, Time time) throws IOException {
    return switch (sink) {
      case AccessLogConfig.Sink.File file -> FileSink.open(file, time);
      case AccessLogConfig.Sink.Stdout _ ->
          new StreamSink(new FileOutputStream(FileDescriptor.out));
      case AccessLogConfig.Sink.SyslogUdp(String host, int port) ->
          new SyslogSink(new UdpWire(host, port, time));
      case AccessLogConfig.Sink.SyslogTcp(String host, int port) ->
          new SyslogSink(new TcpWire(host, port, time));
      case AccessLogConfig.Sink.SyslogUnix(var path) -> new SyslogSink(UnixWire.open(path));
    };
  }
}
