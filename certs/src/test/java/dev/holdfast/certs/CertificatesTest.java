package dev.holdfast.certs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.holdfast.certs.Authority.Failure;
import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CertificatesTest {
  private static final String HOST = "www.shop.dev";
  private static final CertsConfig.Limits LIMITS = CertsConfig.defaults().limits();

  private static Failure failure(Failure.Cause reason, @Nullable Duration retryAfter) {
    return new Failure(reason, "the authority says so", retryAfter);
  }

  private static String leaf(@Nullable TlsIdentity identity) {
    return identity == null ? "none" : identity.chain().getFirst().getSerialNumber().toString();
  }

  @Test
  void ordersForAHostThatLeadsSomewhere() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      assertThat(rig.certificates.identity(HOST)).isNull();
      rig.certificates.tick();
      var identity = rig.shown(HOST);
      assertThat(Pem.matches(identity.chain().getFirst(), identity.key())).isTrue();
      assertThat(rig.certificates.identity(HOST)).isSameAs(identity);
      assertThat(rig.status(HOST).state()).isEqualTo("issued");
      assertThat(rig.authority.count("order")).isOne();
      // Answers are gone with the order.
      assertThat(rig.certificates.response(HOST, "token-of-1")).isNull();
    }
  }

  /** Killed at every call, before and after it took effect, once without killing to count them. */
  @TestFactory
  Stream<DynamicTest> goesOnAfterACrashAtEveryStep() throws Exception {
    int calls;
    try (var rig = CertsRig.automatic(HOST)) {
      rig.certificates.tick();
      calls = rig.authority.calls.size();
    }
    return IntStream.rangeClosed(1, calls)
        .boxed()
        .flatMap(call ->
            Stream.of(false, true)
                .map(after ->
                    dynamicTest(
                        "call " + call + (after ? " after" : " before"),
                        () -> crash(call, after))));
  }

  private static void crash(int call, boolean after) throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.killAt = call;
      rig.authority.killAfter = after;
      rig.certificates.tick();
      assertThat(rig.authority.calls).hasSize(call);
      var cut = rig.authority.calls.getLast();
      rig.crashAndRestart();
      rig.certificates.tick();
      assertThat(rig.authority.count("order")).as("orders at once").isLessThanOrEqualTo(1);
      rig.pass(Duration.ofMinutes(5));
      assertThat(rig.status(HOST).state()).as("after %s", cut).isEqualTo("issued");
      assertThat(rig.authority.issued.size()).as("certificates made").isEqualTo(1);
      assertThat(leaf(rig.certificates.identity(HOST)))
          .isEqualTo(rig.authority.issued.getFirst().getSerialNumber().toString());
      assertThat(rig.authority.accounts).hasSize(1);
      // Only who was cut while asking for an order has to ask again, and not at once.
      assertThat(rig.authority.count("order")).isEqualTo(cut.equals("order") ? 2 : 1);
    }
  }

  @Test
  void aStartOrdersNothing() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.certificates.tick();
      int calls = rig.authority.calls.size();
      for (int i = 0; i < 5; i++) {
        rig.crashAndRestart();
        rig.pass(Duration.ofMinutes(2));
      }
      assertThat(rig.authority.calls).hasSize(calls);
      assertThat(rig.certificates.identity(HOST)).isNotNull();
    }
  }

  @Test
  void aStartDoesNotShortenAWait() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.brokenProofs.addAll(List.of("http-01", "tls-alpn-01"));
      rig.pass(Duration.ofMinutes(30));
      int orders = rig.authority.count("order");
      var next = rig.status(HOST).nextTryAt();
      rig.crashAndRestart();
      rig.certificates.tick();
      assertThat(rig.authority.count("order")).isEqualTo(orders);
      assertThat(rig.status(HOST).nextTryAt()).isEqualTo(next);
    }
  }

  @Test
  void takesTheOtherProofWhenOneFails() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.brokenProofs.add("http-01");
      rig.certificates.tick();
      var failed = rig.status(HOST);
      assertThat(failed.state()).isEqualTo("failed");
      assertThat(failed.error()).contains("http-01").contains("nothing to see at " + HOST);
      assertThat(failed.nextTryAt()).isAfter(rig.time.now().plusSeconds(40));
      rig.pass(Duration.ofMinutes(3));
      assertThat(rig.status(HOST).state()).isEqualTo("issued");
      // The next order begins with what worked.
      rig.certificates.renew("test", HOST).orThrow();
      rig.certificates.tick();
      assertThat(rig.authority.issued.size()).isEqualTo(2);
      assertThat(rig.authority.validations).hasSize(3);
    }
  }

  @Test
  void waitsLongerAfterEachFailureAndKeepsBelowFiveAnHour() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.brokenProofs.addAll(List.of("http-01", "tls-alpn-01"));
      rig.pass(Duration.ofDays(5), Duration.ofMinutes(1));
      var times = rig.authority.validations;
      assertThat(times.size()).isBetween(10, 20);
      assertThat(mostWithin(times, Duration.ofHours(1))).isLessThanOrEqualTo(4);
      var last = times.size() - 1;
      assertThat(Duration.between(times.get(last - 1), times.get(last)))
          .isBetween(Duration.ofHours(15), Duration.ofHours(25));
    }
  }

  private static int mostWithin(List<Instant> times, Duration window) {
    int most = 0;
    for (var from : times) {
      var in = times.stream().filter(t -> !t.isBefore(from) && t.isBefore(from.plus(window)));
      most = Math.max(most, (int) in.count());
    }
    return most;
  }

  @Test
  void asksForFewerThanFiveCertificatesAWeekHoweverOftenItIsTold() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      for (int i = 0; i < 30; i++) {
        rig.certificates.renew("test", HOST).orThrow();
        rig.pass(Duration.ofMinutes(10));
        if (i == 10) {
          rig.crashAndRestart(); // what was spent is not forgotten
        }
      }
      assertThat(rig.authority.issued.size()).isEqualTo(4);
      assertThat(rig.status(HOST).error()).contains("waits: certificates for " + HOST + ": 4");
      assertThat(rig.certificates.identity(HOST)).isNotNull();
      // Taking the certificate away does not give the budget back.
      rig.certificates.remove("test", HOST).orThrow();
      rig.pass(Duration.ofHours(1));
      assertThat(rig.authority.issued.size()).isEqualTo(4);
      rig.pass(Duration.ofDays(8), Duration.ofMinutes(10));
      assertThat(rig.authority.issued.size()).isEqualTo(5);
    }
  }

  @Test
  void allHostsTogetherStayWithinTheOrdersOfThreeHours() throws Exception {
    var config = CertsRig.config(true, null, new CertsConfig.Limits(5, 4, 4));
    try (var rig = new CertsRig(config)) {
      rig.route(IntStream.range(0, 12).mapToObj(i -> "h" + i + ".dev").toArray(String[]::new));
      rig.pass(Duration.ofHours(2), Duration.ofMinutes(1));
      assertThat(rig.authority.count("order")).isEqualTo(5);
      assertThat(rig.certificates.overview().ordersSpent()).isEqualTo(5);
      rig.crashAndRestart();
      rig.pass(Duration.ofHours(8), Duration.ofMinutes(1));
      assertThat(mostWithin(rig.authority.orderTimes, Duration.ofHours(3))).isEqualTo(5);
      assertThat(rig.authority.issued.size()).isEqualTo(12);
    }
  }

  @Test
  void leavesASilentAuthorityAloneForAllHostsAlike() throws Exception {
    try (var rig = CertsRig.automatic("a.dev", "b.dev", "c.dev", "d.dev", "e.dev")) {
      rig.authority.failures.put("order", _ -> failure(Failure.Cause.SILENT, null));
      rig.pass(Duration.ofHours(1), Duration.ofMinutes(1));
      assertThat(rig.authority.count("order")).isBetween(3, 25);
      assertThat(rig.certificates.overview().pausedUntil()).isNotNull();
      assertThat(rig.certificates.overview().error()).isEqualTo("the authority says so");
      rig.authority.failures.clear();
      rig.pass(Duration.ofHours(2), Duration.ofMinutes(1));
      assertThat(rig.authority.issued.size()).isEqualTo(5);
      assertThat(rig.certificates.overview().pausedUntil()).isNull();
      assertThat(rig.certificates.overview().error()).isNull();
    }
  }

  @Test
  void waitsAsLongAsTheAuthorityAsks() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.failures.put(
          "order", n -> n == 1 ? failure(Failure.Cause.LIMITED, Duration.ofHours(30)) : null);
      rig.pass(Duration.ofHours(29), Duration.ofMinutes(10));
      assertThat(rig.authority.count("order")).isOne();
      rig.pass(Duration.ofHours(2), Duration.ofMinutes(10));
      assertThat(rig.authority.issued.size()).isEqualTo(1);
    }
  }

  @Test
  void goesOnWithTheSameOrderAfterSilence() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.failures.put("fetch", n -> n < 3 ? failure(Failure.Cause.SILENT, null) : null);
      rig.pass(Duration.ofMinutes(20));
      assertThat(rig.status(HOST).state()).isEqualTo("issued");
      assertThat(rig.authority.count("order")).isOne();
      assertThat(rig.authority.issued.size()).isEqualTo(1);
    }
  }

  @Test
  void registersTheSameKeyAgainWhenTheAccountIsGone() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.failures.put(
          "order", n -> n == 1 ? failure(Failure.Cause.NO_ACCOUNT, null) : null);
      rig.pass(Duration.ofMinutes(5));
      assertThat(rig.status(HOST).state()).isEqualTo("issued");
      assertThat(rig.authority.count("register")).isEqualTo(2);
      assertThat(rig.authority.accounts).hasSize(1);
    }
  }

  @Test
  void rehearsesAfterTwoFailures() throws Exception {
    try (var rig = new CertsRig(CertsRig.config(true, CertsRig.STAGING, LIMITS))) {
      rig.route(HOST);
      rig.authority.brokenProofs.addAll(List.of("http-01", "tls-alpn-01"));
      rig.authority.brokenProofs.addAll(List.of("staging http-01", "staging tls-alpn-01"));
      rig.pass(Duration.ofHours(3), Duration.ofMinutes(1));
      var directories = rig.authority.orderDirectories;
      assertThat(directories.subList(0, 2)).containsOnly(CertsRig.DIRECTORY.toString());
      assertThat(directories.subList(2, directories.size()))
          .hasSizeGreaterThan(1)
          .containsOnly(CertsRig.STAGING.toString());
      assertThat(rig.status(HOST).error()).startsWith("rehearsal: ");
      rig.authority.brokenProofs.clear();
      rig.pass(Duration.ofHours(8), Duration.ofMinutes(1));
      assertThat(rig.status(HOST).state()).isEqualTo("issued");
      assertThat(directories.getLast()).isEqualTo(CertsRig.DIRECTORY.toString());
      assertThat(rig.authority.issued.size())
          .isEqualTo(1); // the rehearsal ends before a certificate is made
    }
  }

  @Test
  void renewsAfterTwoThirdsAndShowsTheOldOneUntilThen() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.certificates.tick();
      var first = rig.shown(HOST);
      rig.pass(Duration.ofDays(56), Duration.ofHours(1));
      assertThat(rig.certificates.identity(HOST)).isSameAs(first);
      rig.authority.failures.put("order", _ -> failure(Failure.Cause.REFUSED, null));
      rig.pass(Duration.ofDays(10), Duration.ofHours(1));
      assertThat(rig.certificates.identity(HOST)).isSameAs(first);
      assertThat(rig.status(HOST).state()).isEqualTo("failed");
      rig.pass(Duration.ofDays(40), Duration.ofHours(1)); // it is expired by now, and all there is
      assertThat(rig.certificates.identity(HOST)).isSameAs(first);
      assertThat(rig.status(HOST).notAfter()).isBefore(rig.time.now());
      rig.authority.failures.clear();
      rig.pass(Duration.ofDays(2), Duration.ofHours(1));
      assertThat(leaf(rig.certificates.identity(HOST))).isNotEqualTo(leaf(first));
    }
  }

  @Test
  void renewsWhenTheAuthorityAsksForItAndSaysWhatIsReplaced() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.certificates.tick();
      var first = rig.shown(HOST);
      var soon = rig.time.now().plus(Duration.ofDays(2));
      rig.authority.window = new Authority.Window(soon, soon.plus(Duration.ofHours(1)));
      rig.pass(Duration.ofDays(1), Duration.ofMinutes(10));
      assertThat(rig.authority.issued.size()).isEqualTo(1);
      rig.authority.window = null;
      rig.pass(Duration.ofDays(2), Duration.ofMinutes(10));
      assertThat(rig.authority.issued.size()).isEqualTo(2);
      assertThat(rig.authority.replaced).containsExactly(first.chain().getFirst());
    }
  }

  @Test
  void neverAsksForNamesThatLeadNowhereOrThatNobodyCanVouchFor() throws Exception {
    var hosts =
        List.of("localhost", "app.localhost", "intranet", "10.0.0.1", "x.invalid", "y.internal");
    try (var rig = CertsRig.automatic(hosts.toArray(String[]::new))) {
      rig.pass(Duration.ofMinutes(5));
      assertThat(rig.certificates.identity("unknown.dev")).isNull();
      for (var host : hosts) {
        assertThat(rig.certificates.add("test", host)).isInstanceOf(Outcome.Refused.class);
      }
      assertThat(rig.certificates.add("test", "unknown.dev"))
          .isInstanceOfSatisfying(
              Outcome.Refused.class,
              refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.NotFound.class));
      assertThat(rig.authority.calls).isEmpty();
    }
  }

  @Test
  void ordersOnlyWhatIsAskedForUnlessAutomatic() throws Exception {
    try (var rig = new CertsRig(CertsRig.config(false, null, LIMITS))) {
      rig.route(HOST, "other.dev");
      rig.pass(Duration.ofMinutes(1));
      assertThat(rig.authority.calls).isEmpty();
      rig.certificates.add("test", "WWW.Shop.dev").orThrow();
      rig.certificates.add("test", HOST).orThrow(); // asking twice is asking once
      rig.pass(Duration.ofMinutes(1));
      rig.certificates.add("test", HOST).orThrow();
      rig.pass(Duration.ofMinutes(1));
      assertThat(rig.authority.issued.size()).isEqualTo(1);
      assertThat(rig.certificates.identity("other.dev")).isNull();
    }
  }

  @Test
  void ordersOnlyOnTheNodeThatLeads() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      var lease = Duration.ofSeconds(60);
      rig.ledger
          .append(
              Transaction.by("node-2").grant(Leadership.LEASE, "node-2", lease, Transaction.ANY))
          .orThrow();
      rig.pass(Duration.ofSeconds(50), Duration.ofSeconds(1));
      assertThat(rig.authority.calls).isEmpty();
      assertThat(rig.certificates.overview().leads()).isFalse();
      rig.pass(Duration.ofSeconds(30), Duration.ofSeconds(1)); // node-2 does not renew
      assertThat(rig.authority.issued.size()).isEqualTo(1);
    }
  }

  @Test
  void writesNothingOnceAnotherNodeLeads() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.authority.failures.put(
          "look",
          n -> {
            if (n == 1) {
              rig.time.advance(Duration.ofMinutes(5)); // a long pause of this process
              rig.ledger
                  .append(
                      Transaction.by("node-2")
                          .grant(Leadership.LEASE, "node-2", Duration.ofDays(1), Transaction.ANY))
                  .orThrow();
            }
            return null;
          });
      rig.certificates.tick();
      assertThat(rig.status(HOST).state()).isEqualTo("ordered");
      assertThat(rig.authority.count("answer")).isZero();
    }
  }

  @Test
  void ticketKeysAreSharedAndRotate() throws Exception {
    try (var rig = CertsRig.automatic()) {
      rig.certificates.tick();
      var first = new ArrayList<>(rig.certificates.ticketKeys());
      assertThat(first).hasSize(1);
      assertThat(first.getFirst()).hasSize(48);
      rig.pass(Duration.ofHours(13), Duration.ofMinutes(30));
      assertThat(rig.certificates.ticketKeys()).hasSize(2);
      assertThat(rig.certificates.ticketKeys().get(1)).isEqualTo(first.getFirst());
      rig.crashAndRestart();
      rig.pass(Duration.ofHours(36), Duration.ofMinutes(30));
      assertThat(rig.certificates.ticketKeys()).hasSize(3);
      assertThat(rig.certificates.ticketKeys().getLast()).isNotEqualTo(first.getFirst());
      assertThat(rig.certificates.ticketKeys()).isSameAs(rig.certificates.ticketKeys());
    }
  }

  @Test
  void showsACertificateOfItsOwnOnThisMachineOnly() throws Exception {
    try (var rig = CertsRig.automatic()) {
      rig.certificates.tick();
      var own = rig.certificates.identity("hello.localhost");
      assertThat(own).isNotNull();
      assertThat(rig.certificates.identity("localhost")).isSameAs(own);
      assertThat(rig.certificates.identity("")).isSameAs(own);
      assertThat(rig.certificates.identity(HOST)).isNull();
      rig.crashAndRestart();
      assertThat(leaf(rig.certificates.identity("localhost"))).isEqualTo(leaf(own));
    }
  }

  @Test
  void showsWhatAPersonBringsAndOrdersNothingForIt() throws Exception {
    try (var rig = CertsRig.automatic()) {
      var key = StoredKey.fresh();
      var other = StoredKey.fresh();
      var now = rig.time.now();
      var names = List.of("*.brought.dev");
      var made =
          HomeMade.sign(key.pair(), names, now, now.plus(Duration.ofDays(30)), null, rig.time);
      var chain = Pem.write(List.of(made));
      assertThat(refusal(rig.certificates.install("me", "*.brought.dev", chain, pem(other))))
          .contains("key: EC (expected: the one of the first certificate)");
      assertThat(refusal(rig.certificates.install("me", "www.else.dev", chain, pem(key))))
          .contains("one for www.else.dev");
      assertThat(refusal(rig.certificates.install("me", "*.brought.dev", "nonsense", pem(key))))
          .contains("in PEM");
      rig.certificates.install("me", "*.brought.dev", chain, pem(key)).orThrow();
      rig.route("www.brought.dev");
      rig.pass(Duration.ofMinutes(1));
      assertThat(leaf(rig.certificates.identity("www.brought.dev")))
          .isEqualTo(made.getSerialNumber().toString());
      assertThat(rig.authority.calls).isEmpty();
      assertThat(refusal(rig.certificates.renew("me", "www.brought.dev")))
          .contains("brought by me");
      rig.certificates.remove("me", "*.brought.dev").orThrow();
      rig.route("www.brought.dev", "another.dev");
      rig.pass(Duration.ofMinutes(1));
      assertThat(rig.status("www.brought.dev").source()).isEqualTo("acme");
    }
  }

  private static String pem(StoredKey key) {
    return "-----BEGIN PRIVATE KEY-----\n" + key.privateKey() + "\n-----END PRIVATE KEY-----\n";
  }

  private static String refusal(Outcome<?> outcome) {
    return outcome instanceof Outcome.Refused<?>(var refusal) ? refusal.message() : "" + outcome;
  }

  @Test
  void forgetsWhatNobodyRoutesAnyMoreOnlyWhenNothingOfItCounts() throws Exception {
    try (var rig = CertsRig.automatic(HOST)) {
      rig.certificates.tick();
      rig.route();
      rig.pass(Duration.ofDays(6), Duration.ofHours(1));
      rig.route(HOST); // it comes back: what was issued is still good
      rig.pass(Duration.ofHours(2), Duration.ofMinutes(10));
      assertThat(rig.authority.issued.size()).isEqualTo(1);
      rig.route();
      rig.pass(Duration.ofDays(125), Duration.ofHours(6));
      assertThat(rig.certificates.list()).noneMatch(status -> status.host().equals(HOST));
    }
  }
}
