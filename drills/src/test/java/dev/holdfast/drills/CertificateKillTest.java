package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.drills.StallingProxy.Moment;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A platform that is killed in the middle of an order (SIGKILL, a real process, a real authority)
 * goes on with that order after its next start, and shows the old certificate meanwhile.
 */
class CertificateKillTest {
  private static final String HOST = "www.holdfast.dev";
  private static final int WAIT_SECONDS = 30;

  /** Where an order is cut: told to prove, told to certify, and about to fetch. */
  private static final List<Moment> MOMENTS =
      List.of(
          new Moment("/chalZ/", true),
          new Moment("/finalize-order/", true),
          new Moment("/certZ/", false));

  @TempDir Path folder;

  private Path temporary;
  private Victim victim;
  private Pebble pebble;
  private StallingProxy proxy;
  private int httpsPort;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(Pebble.installed(), "pebble is not installed (apt-get install pebble)");
    var key = TestKey.make(folder);
    var home = Files.createDirectories(folder.resolve("home"));
    temporary = Files.createDirectories(folder.resolve("tmp"));
    var flags = List.of("-Xmx192m", "-XX:TieredStopAtLevel=1", "-Djava.io.tmpdir=" + temporary);
    victim = new Victim(home, Time.system(), Map.of(), flags);
    pebble = new Pebble(folder, key, victim.httpPort());
    proxy = new StallingProxy(key.context(), Pebble.freePort(), pebble.port);
    httpsPort = Pebble.freePort();
    Files.writeString(
        home.resolve("holdfast.conf"),
        """
        https = 127.0.0.1:%d
        certs.directory = https://localhost:%d/dir
        certs.roots = %s
        certs.contact = operator@holdfast.dev
        """
            .formatted(httpsPort, proxy.port(), key.certificate()));
    victim.start();
  }

  @AfterEach
  void end() throws IOException {
    if (proxy != null) {
      proxy.close();
    }
    if (victim != null) {
      victim.close();
    }
    if (pebble != null) {
      pebble.close();
    }
  }

  @Test
  void ordersAreGoneOnWithAndNeverRepeated() throws Exception {
    obtains();
    renews();
    neverAsksMoreOftenThanItNoted();
    assertThat(natives(temporary)).as("left behind by killed platforms").isEmpty();
  }

  private void obtains() throws Exception {
    try (var client = victim.client()) {
      expect(201, client.post("/v1/apps", "{\"name\":\"shop\"}"));
      expect(201, client.post("/v1/apps/shop/domains", "{\"host\":\"" + HOST + "\"}"));
      proxy.hold(MOMENTS.getFirst());
      expect(202, client.post("/v1/certs", "{\"host\":\"" + HOST + "\"}"));
    }
    for (int i = 1; i <= MOMENTS.size(); i++) {
      killWhenReached();
      if (i < MOMENTS.size()) {
        proxy.hold(MOMENTS.get(i));
      } else {
        proxy.release();
      }
      victim.start();
    }
    var _ = another(BigInteger.ZERO);
    assertThat(proxy.orders.get()).as("orders that the authority saw").isOne();
    assertThat(spent()).as("orders in the ledger").isOne();
  }

  private void renews() throws Exception {
    var old = shown();
    proxy.hold(new Moment("/finalize-order/", true));
    renew();
    killWhenReached();
    proxy.hold(new Moment("/certZ/", false));
    victim.start();
    assertThat(proxy.reached(WAIT_SECONDS)).as("the order goes on").isTrue();
    assertThat(shown()).as("the old certificate serves until the new one is there").isEqualTo(old);
    proxy.release();
    var _ = another(old);
    assertThat(proxy.orders.get()).isEqualTo(2);
    assertThat(spent()).isEqualTo(2);
  }

  /** Whether there is an order that nobody told us of cannot be known: it counts as spent. */
  private void neverAsksMoreOftenThanItNoted() throws Exception {
    var old = shown();
    proxy.hold(new Moment("/order-plz", true));
    renew();
    killWhenReached();
    proxy.release();
    victim.start();
    await("failed");
    assertThat(shown()).isEqualTo(old);
    assertThat(proxy.orders.get()).as("nothing is asked again by itself").isEqualTo(3);
    renew();
    var _ = another(old);
    assertThat(proxy.orders.get()).isEqualTo(4);
    assertThat(spent()).isEqualTo(4);
  }

  private void killWhenReached() throws Exception {
    assertThat(proxy.reached(WAIT_SECONDS)).as("the moment: %s", platformLog()).isTrue();
    victim.kill();
  }

  private String platformLog() throws IOException {
    return Files.readString(folder.resolve("platform.log"));
  }

  private void renew() throws Exception {
    try (var client = victim.client()) {
      expect(202, client.post("/v1/certs", "{\"host\":\"" + HOST + "\",\"renew\":true}"));
    }
  }

  private static void expect(int status, Client.Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
  }

  private int spent() throws Exception {
    try (var client = victim.client()) {
      return client.get("/v1/certs").json().get("authority").get("ordersSpent").asInt();
    }
  }

  private void await(String state) throws Exception {
    try (var client = victim.client()) {
      long end = System.nanoTime() + WAIT_SECONDS * 1_000_000_000L;
      var last = "";
      while (System.nanoTime() < end) {
        var items = client.get("/v1/certs").json().get("items");
        last = items.toString();
        for (var one : items) {
          if (one.get("host").asString().equals(HOST)
              && one.get("state").asString().equals(state)) {
            return;
          }
        }
        Thread.sleep(50);
      }
      throw new AssertionError("never " + state + ": " + last + platformLog());
    }
  }

  /** Waits for a certificate with another serial number. */
  private BigInteger another(BigInteger than) throws Exception {
    await("issued");
    var now = shown();
    assertThat(now).isNotEqualTo(than);
    return now;
  }

  /** The serial number of what visitors are shown. */
  private BigInteger shown() throws Exception {
    var context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Anybody()}, null);
    try (var socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), httpsPort)) {
      socket.setSoTimeout(WAIT_SECONDS * 1_000);
      var parameters = socket.getSSLParameters();
      parameters.setServerNames(List.of(new SNIHostName(HOST)));
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      var leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      assertThat(leaf.getIssuerX500Principal().getName()).contains("Pebble");
      return leaf.getSerialNumber();
    }
  }

  /** What is shown is looked at by the test itself. */
  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  private static List<String> natives(Path temporary) throws IOException {
    try (var files = Files.list(temporary)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.contains(".so"))
          .toList();
    }
  }
}
