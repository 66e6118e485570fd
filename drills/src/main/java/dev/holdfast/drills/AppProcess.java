package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * A {@link TestApp} in a process of its own, for drills that need more descriptors than one process
 * has. Confined to the drill's thread.
 */
final class AppProcess implements AutoCloseable {
  private final Process process;
  private final int port;

  AppProcess() throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                TestApp.class.getName(),
                "16",
                "20")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    var reader = new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII));
    var line = reader.readLine();
    if (line == null) {
      throw new IOException("the app did not start");
    }
    port = Integer.parseInt(line);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
