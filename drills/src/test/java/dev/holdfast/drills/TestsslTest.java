package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * Debian's testssl against the real platform: with {@code -Dtestssl=true} only, since one run takes
 * a minute. The certificate is signed by an authority of the test's own, which testssl is told of.
 */
@EnabledIfSystemProperty(named = "testssl", matches = "true")
class TestsslTest {
  private static final String HOST = "shop.holdfast.dev";
  private static final int WAIT_MINUTES = 5;

  /** Severities of testssl that mean less than a weakness, or a small one. */
  private static final List<String> HARMLESS = List.of("OK", "INFO", "LOW", "DEBUG");

  /** What says something about the authority of this test, which publishes no revocations. */
  private static final List<String> TRUST = List.of("cert_revocation");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void findsNothingAboveLowInBoringSsl(String algorithm) throws Exception {
    assertThat(findings(algorithm, List.of("-Xmx192m"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void findsNothingAboveLowInTheJdk(String algorithm) throws Exception {
    var flags = List.of("-Xmx192m", "-Dio.netty.handler.ssl.noOpenSsl=true");
    assertThat(findings(algorithm, flags)).isEmpty();
  }

  private List<String> findings(String algorithm, List<String> flags) throws Exception {
    assumeTrue(Pebble.found("testssl"), "testssl is not installed (apt-get install testssl.sh)");
    var home = Files.createDirectories(folder.resolve("home"));
    int port = Pebble.freePort();
    Files.writeString(home.resolve("holdfast.conf"), "https = 127.0.0.1:" + port + "\n");
    authority(algorithm);
    var app = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    app.createContext(
        "/",
        exchange -> {
          exchange.getResponseHeaders().add("X-Content-Type-Options", "nosniff");
          exchange.getResponseHeaders().add("X-Frame-Options", "DENY");
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    app.start();
    try (var victim = new Victim(home, Time.system(), Map.of(), flags)) {
      victim.start();
      try (var client = victim.client()) {
        var to = "{\"to\":\"http://127.0.0.1:" + app.getAddress().getPort() + "\"}";
        assertThat(client.put("/v1/routes/" + HOST, to).status()).isEqualTo(200);
        assertThat(client.post("/v1/certs", brought()).status()).isEqualTo(202);
      }
      return testssl(port);
    } finally {
      app.stop(0);
    }
  }

  /** An authority and a certificate of it for the app's host. */
  private void authority(String algorithm) throws IOException, InterruptedException {
    var ca = folder.resolve("ca.p12").toString();
    var app = folder.resolve("app.p12").toString();
    make(ca, algorithm, "CN=Test authority", "bc:c");
    make(app, algorithm, "CN=" + HOST, "san=dns:" + HOST);
    var request = folder.resolve("app.csr").toString();
    var signed = folder.resolve("app.der").toString();
    keytool(app, "-certreq", "-file", request);
    keytool(
        ca,
        "-gencert",
        "-infile",
        request,
        "-outfile",
        signed,
        "-validity",
        "180",
        "-ext",
        "san=dns:" + HOST,
        "-ext",
        "ku=digitalSignature",
        "-ext",
        "eku=serverAuth");
  }

  private static void make(String store, String algorithm, String name, String extension)
      throws IOException, InterruptedException {
    keytool(store, "-genkeypair", "-keyalg", algorithm, "-dname", name, "-ext", extension);
  }

  private static void keytool(String store, String... arguments)
      throws IOException, InterruptedException {
    var all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("-alias", "key", "-storepass", "changeit", "-keystore", store));
    TestKey.keytool(all.toArray(String[]::new));
  }

  private String brought() throws Exception {
    var ca = TestKey.store(folder.resolve("ca.p12"));
    var root = TestKey.pem("CERTIFICATE", ca.getCertificate("key").getEncoded());
    Files.writeString(folder.resolve("ca.pem"), root);
    var app = TestKey.store(folder.resolve("app.p12"));
    var body =
        Map.of(
            "host",
            HOST,
            "chain",
            TestKey.pem("CERTIFICATE", Files.readAllBytes(folder.resolve("app.der"))),
            "key",
            TestKey.pem("PRIVATE KEY", TestKey.key(app, "key")));
    return JsonMapper.shared().writeValueAsString(body);
  }

  private List<String> testssl(int port) throws IOException, InterruptedException {
    var report = folder.resolve("report.json");
    var process =
        new ProcessBuilder(
                "testssl",
                "--quiet",
                "--color",
                "0",
                "--warnings",
                "off",
                "--nodns",
                "none",
                "--ip",
                "127.0.0.1",
                "--add-ca",
                folder.resolve("ca.pem").toString(),
                "--jsonfile",
                report.toString(),
                HOST + ":" + port)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("testssl.log").toFile())
            .start();
    if (!process.waitFor(WAIT_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("testssl does not end");
    }
    var bad = new ArrayList<String>();
    int looked = 0;
    for (var finding : JsonMapper.shared().readTree(Files.readString(report))) {
      looked++;
      var id = finding.get("id").asString();
      if (!HARMLESS.contains(finding.get("severity").asString()) && !TRUST.contains(id)) {
        bad.add(finding.toString());
      }
    }
    assertThat(looked).as("findings of testssl").isGreaterThan(100);
    return bad;
  }
}
